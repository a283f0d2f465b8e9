"""`manage.py run`, whole: the first start, what it tells one to paste, a killed one, and the next."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import wave
from pathlib import Path

import httpx
import psutil
import pytest

from inference.speech.voices import VOICES
from tests.environment import VAR_DIR
from tests.live import ROOT, free_port, wait_for

START_SECONDS = 180


class Run:
    """`manage.py run` in a folder of its own, as someone at a terminal has it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.output_path = folder / f"output-{port}"
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "run"],
                cwd=folder,
                env={**os.environ, "VAR_DIR": "var", "PORT": str(port)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self.output_path.read_text()

    def wait_until_said(self, text: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None, self.output
            assert "No hello: " not in self.output, self.output
            return text in self.output

        wait_for(said, seconds=START_SECONDS, what=text)

    def paste(self, command: str) -> str:
        """Run in a shell what the output offers, from the line before the one that begins so to an empty line."""
        match = re.search(rf"^set -a.*\n{command}(?:.|\n)*?(?=\n\n)", self.output, re.MULTILINE)
        assert match, self.output
        done = subprocess.run(
            ["bash", "-c", match[0]], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout


def test_run(tmp_path: Path) -> None:
    first = Run(tmp_path, free_port())
    try:
        first.wait_until_said("Ctrl-C stops everything.")
        _check_the_first_hello(first)
        _check_that_visitors_hear_who_speaks(first)
        _check_that_one_can_go_on(first)
        _check_that_a_second_one_is_refused(first)
        children = psutil.Process(first.process.pid).children(recursive=True)
        assert len(children) > 5
    finally:
        first.process.kill()
        first.process.wait()
    wait_for(lambda: not any(child.is_running() for child in children), what="all died with the supervisor")

    again = Run(tmp_path, free_port())
    try:
        again.wait_until_said("Ctrl-C stops everything.")
        _check_the_next_hello(first, again)
        children = psutil.Process(again.process.pid).children(recursive=True)
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(30) == 0
    finally:
        again.process.kill()
        again.process.wait()
    assert not any(child.is_running() for child in children)


def _environment_file(run: Run) -> dict[str, str]:
    path = run.folder / "var" / "demo.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _check_the_first_hello(run: Run) -> None:
    environment = _environment_file(run)
    assert environment["OPENAI_BASE_URL"] == f"http://127.0.0.1:{run.port}/v1"
    assert run.output.count(environment["OPENAI_API_KEY"]) == 1
    for log in (run.folder / "var" / "logs").iterdir():
        assert environment["OPENAI_API_KEY"] not in log.read_text()
    with wave.open(str(run.folder / "var" / "hello.wav")) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert f"{seconds:.2f} s of audio" in run.output
    assert f"console    http://127.0.0.1:{run.port}/console\n" in run.output
    cost = re.search(r"cost +\$(\S+)", run.output)
    assert cost
    assert cost[1] == f"{round(seconds * 1000) * 750 / 10**9:.9f}"  # $0.000000750 a millisecond


def _check_that_visitors_hear_who_speaks(run: Run) -> None:
    assert re.search(r"voice +heart-8m@[0-9a-f]+\n", run.output)
    url = f"http://127.0.0.1:{run.port}"
    page = httpx.get(url).text
    assert "You hear a small model, <code>heart-8m</code>" in page
    samples = re.findall(r'"(\S+/samples/heart-8m/\w+\.mp3)"', page)
    assert [Path(sample).stem for sample in samples] == list(VOICES)
    for sample in samples:
        assert httpx.get(url + sample).headers["content-type"] == "audio/mpeg"


def _check_that_one_can_go_on(run: Run) -> None:
    answer = json.loads(run.paste("curl"))
    assert answer["choices"][0]["message"]["audio"]["data"]
    cost = run.paste(r"\S+ - <<'END'")
    assert float(cost) > 0
    with wave.open(str(run.folder / "speech.wav")) as sound:
        assert sound.getnframes()


def _check_that_a_second_one_is_refused(run: Run) -> None:
    same_folder = Run(run.folder, free_port())
    assert same_folder.process.wait(30) == 1
    assert f"already being run, by process {run.process.pid}" in same_folder.output
    other_folder = run.folder / "other"
    other_folder.mkdir()
    same_port = Run(other_folder, run.port)
    assert same_port.process.wait(30) == 1
    assert f"Port {run.port} on 127.0.0.1 is in use" in same_port.output


def _check_the_next_hello(first: Run, again: Run) -> None:
    environment = _environment_file(again)
    assert environment["OPENAI_BASE_URL"] == f"http://127.0.0.1:{again.port}/v1"
    assert environment["OPENAI_API_KEY"] in first.output
    assert environment["OPENAI_API_KEY"] not in again.output
    listed = httpx.get(
        f"{environment['OPENAI_BASE_URL']}/models",
        headers={"authorization": f"Bearer {environment['OPENAI_API_KEY']}"},
    )
    assert listed.status_code == 200


def test_servers_of_ones_own_that_do_not_answer_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/speech",
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}",
        "SECRET_KEY": "k" * 32,
        "API_KEY_PEPPERS": f"1:{'ab' * 32}",
        "PUBLIC_URL": "https://speech.example.com",
        "VAR_DIR": str(VAR_DIR / "elsewhere"),
        "PORT": str(free_port()),
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "run"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "DATABASE_URL: the database does not answer" in done.stderr
    assert "Traceback" not in done.stderr
