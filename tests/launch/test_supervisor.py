"""The supervisor with real processes: shown, restarted, stopped, and never left behind."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launch import supervisor as supervisor_module
from launch.parts import Part
from launch.processes import CannotRunError
from launch.supervisor import Supervisor, _Runner
from launch.terminal import Terminal
from tests.live import ROOT, wait_for

SLEEP = ["sleep", "1000"]
STUBBORN = ["sh", "-c", "trap '' TERM INT; echo deaf; while true; do sleep 0.05; done"]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")


class Running:
    """A `tiny_service`, its output, and everything that it has started."""

    def __init__(
        self, var_dir: Path, commands: dict[str, list[str]], grace_seconds: float, hangup: signal.Handlers
    ) -> None:
        self.output_path = var_dir / "output"
        with self.output_path.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "tests.launch.tiny_service",
                    str(var_dir), json.dumps(commands), str(grace_seconds),
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT / "platform")},
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),  # the tests themselves may be under nohup
            )  # fmt: skip

    @property
    def output(self) -> str:
        return self.output_path.read_text()

    def wait_for_output(self, text: str) -> None:
        wait_for(lambda: text in self.output, what=f"{text!r} in the output")

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


StartTiny = Callable[..., Running]


@pytest.fixture
def start_tiny(tmp_path: Path) -> Iterator[StartTiny]:
    started: list[Running] = []

    def start(
        commands: dict[str, list[str]], grace_seconds: float = 10, hangup: signal.Handlers = signal.SIG_DFL
    ) -> Running:
        running = Running(tmp_path, commands, grace_seconds, hangup)
        started.append(running)
        return running

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_lines_are_shown_behind_their_part_and_kept(start_tiny: StartTiny, tmp_path: Path) -> None:
    running = start_tiny(
        {"a": ["sh", "-c", "echo out; echo err >&2; exec sleep 100"], "longer": ["sh", "-c", "printf unended"]}
    )
    running.wait_for_output("longer │ unended\n")
    running.wait_for_output("a      │ err\n")
    running.wait_for_output("run    │ started\n")
    assert "a      │ out\n" in running.output
    assert "\x1b" not in running.output
    assert (tmp_path / "logs" / "a.log").read_text() == "out\nerr\n"


def test_a_part_that_dies_is_started_again(start_tiny: StartTiny) -> None:
    running = start_tiny({"mortal": ["sh", "-c", "echo born; exit 3"], "steady": SLEEP})
    running.wait_for_output("mortal ended with code 3; next try in 1 s")
    running.wait_for_output("mortal ended with code 3; next try in 2 s")
    assert running.output.count("mortal │ born") == 2
    assert "steady ended" not in running.output


def test_a_part_that_is_killed_is_started_again_without_its_children(start_tiny: StartTiny) -> None:
    running = start_tiny({"parent": ["sh", "-c", "sleep 1000 & echo up; wait"]})
    running.wait_for_output("parent │ up")
    parent, child = sorted(running.descendants(), key=lambda p: p.create_time())
    parent.kill()
    running.wait_for_output("parent was killed by SIGKILL; next try in 1 s")
    wait_for(lambda: not alive([child]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_and_leaves_nothing(start_tiny: StartTiny, number: signal.Signals) -> None:
    running = start_tiny({"easy": SLEEP, "family": ["sh", "-c", "sleep 1000 & sleep 1000"]})
    running.wait_for_output("started")
    wait_for(lambda: len(running.descendants()) == 4)
    descendants = running.descendants()
    running.process.send_signal(number)
    assert running.process.wait(5) == 0
    assert not alive(descendants)
    assert running.output.endswith("│ stopped\n")


def test_under_nohup_a_closed_terminal_stops_nothing(start_tiny: StartTiny) -> None:
    running = start_tiny({"easy": SLEEP}, hangup=signal.SIG_IGN)
    running.wait_for_output("started")
    running.process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(1.5)
    running.process.terminate()
    assert running.process.wait(5) == 0


def test_parts_stop_in_the_opposite_order(start_tiny: StartTiny) -> None:
    last_words = "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.02; done"
    running = start_tiny({name: ["sh", "-c", last_words] for name in ("first", "second", "third")})
    for name in ("first ", "second", "third "):
        running.wait_for_output(f"{name} │ up")
    running.process.terminate()
    assert running.process.wait(5) == 0
    assert [line.split()[0] for line in running.output.splitlines() if line.endswith("bye")] == [
        "third",
        "second",
        "first",
    ]


def test_a_part_that_does_not_listen_is_killed_after_its_grace(start_tiny: StartTiny) -> None:
    running = start_tiny({"stubborn": STUBBORN}, grace_seconds=0.5)
    running.wait_for_output("deaf")
    descendants = running.descendants()
    running.process.terminate()
    assert running.process.wait(5) == 0
    assert not alive(descendants)


def test_a_second_signal_does_not_wait(start_tiny: StartTiny) -> None:
    running = start_tiny({"stubborn": STUBBORN}, grace_seconds=100)
    running.wait_for_output("deaf")
    descendants = running.descendants()
    running.process.send_signal(signal.SIGINT)
    running.wait_for_output("stopping")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(5) == 1
    assert not alive(descendants)


@linux_only
def test_nothing_outlives_a_killed_supervisor(start_tiny: StartTiny) -> None:
    running = start_tiny({"stubborn": STUBBORN, "easy": SLEEP})
    running.wait_for_output("deaf")
    running.wait_for_output("started")
    descendants = running.descendants()
    running.process.kill()
    wait_for(lambda: not alive(descendants), seconds=2)


def test_a_second_run_of_one_folder_is_refused(start_tiny: StartTiny) -> None:
    first = start_tiny({"one": SLEEP})
    first.wait_for_output("started")
    second = start_tiny({"one": SLEEP})
    assert second.process.wait(10) == 1
    assert f"is already being run, by process {first.process.pid}" in second.output
    first.process.kill()
    first.process.wait()
    third = start_tiny({"one": SLEEP})
    wait_for(lambda: third.output.count("started") == 2)


def test_a_terminal_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    command = {"clock": ["sh", "-c", "while true; do echo tick; sleep 0.05; done"]}
    arguments = [sys.executable, "-m", "tests.launch.tiny_service", str(tmp_path), json.dumps(command)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        log = tmp_path / "logs" / "clock.log"
        wait_for(lambda: log.exists() and log.read_text())
        assert process.stdout
        process.stdout.close()
        size = log.stat().st_size
        wait_for(lambda: log.stat().st_size > size + 20)
        process.terminate()
        assert process.wait(5) == 0


@pytest.mark.parametrize(("steady_seconds", "delays"), [(100.0, "1 2 4 4"), (0.0, "1 1 1 1")])
def test_tries_become_rarer_unless_the_part_was_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steady_seconds: float, delays: str
) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(supervisor_module, "MAX_DELAY_SECONDS", 0.04)
    monkeypatch.setattr(supervisor_module, "STEADY_SECONDS", steady_seconds)
    stream = io.StringIO()
    part = Part(name="mortal", command=("false",))
    runner = _Runner(part, Terminal(["mortal"], stream, tmp_path), tmp_path, dict(os.environ))
    runner.start()
    wait_for(lambda: stream.getvalue().count("\n") >= 4)
    runner.stop()
    told = [line.rsplit(" ", 2)[1] for line in stream.getvalue().splitlines()[:4]]
    assert told == [f"0.0{n}" for n in delays.split()]


def test_a_part_that_cannot_start_ends_the_start(tmp_path: Path) -> None:
    stream = io.StringIO()
    supervisor = Supervisor(Terminal(["server"], stream, tmp_path), tmp_path, dict(os.environ))
    part = Part(name="server", command=("sh", "-c", "echo no disk; exit 1"), ready=lambda: False)
    began = time.monotonic()
    with pytest.raises(CannotRunError, match="server does not start"):
        supervisor.run(lambda: supervisor.start(part))
    assert time.monotonic() - began < 5
    assert "server │ no disk" in stream.getvalue()
