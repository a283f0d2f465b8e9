"""The calls in docs/api.md and the examples beside it, as a reader runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from accounts import keys
from accounts.keys import Reach
from billing.models import UsageRecord
from tests.clients import environments
from tests.conftest import Customer
from tests.live import ROOT, Service, wait_for

TIMED = ["Dr.", "Lee", "paid", "$5.20", "for", "it."]
WRITTEN = ["Of", "course!", "Dr.", "Lee", "expects", "you", "at", "9:30.", "Shall", "I", "order", "a", "taxi?"]
BLOCKS = [
    block
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    if "consent.wav" not in block  # needs recordings: see tests/gateway/test_own_voices.py
]
ERROR = re.compile(rb'"error": ?\{')


def environment(service: Service, customer: Customer) -> dict[str, str]:
    reach = Reach(scopes=("speech", "usage", "admin"))
    _, admin = keys.create(organization=customer.organization, name="admin", reach=reach)
    own = {"OPENAI_BASE_URL": f"{service.url}/v1", "OPENAI_API_KEY": customer.secret, "ADMIN_KEY": admin}
    return {**os.environ, **own}


@pytest.mark.parametrize("block", range(len(BLOCKS)))
def test_the_calls_work_as_they_stand(service: Service, customer: Customer, tmp_path: Path, block: int) -> None:
    written = set(re.findall(r" -o (\S+)", BLOCKS[block]))
    done = subprocess.run(
        ["bash", "-e", "-c", BLOCKS[block]],
        cwd=tmp_path,
        env=environment(service, customer),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not ERROR.search(done.stdout.encode()), done.stdout
    assert written or done.stdout
    for name in written:
        data = (tmp_path / name).read_bytes()
        assert len(data) > 100, name
        assert not ERROR.search(data[:2000]), data[:500]


def test_timed_json_has_the_words(service: Service, customer: Customer, tmp_path: Path) -> None:
    [block] = [each for each in BLOCKS if "timed.json" in each]
    done = subprocess.run(
        ["bash", "-e", "-c", block],
        cwd=tmp_path,
        env=environment(service, customer),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    audio = json.loads((tmp_path / "timed.json").read_text())["choices"][0]["message"]["audio"]
    assert [each["word"] for each in audio["timestamps"]["words"]] == TIMED
    assert "WEBVTT" in done.stdout


def test_the_example_speaks_what_is_written(service: Service, customer: Customer) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "examples" / "speak_as_written.py"],
        env=environment(service, customer),
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert re.findall(r"\d (\S+)\n", said) == WRITTEN
    assert re.search(r"\$0\.\d{9}\n", said)
    assert len(done.stdout) > 3 * 48_000


AGENTS = {
    "livekit_tts.py": ("livekit-agents==1.*", "websockets"),
    "pipecat_tts.py": ("pipecat-ai==1.*", "websockets"),
}
"""The examples for frameworks of voice agents, and what each needs."""


@pytest.mark.parametrize("example", AGENTS)
def test_a_voice_agents_framework_speaks(service: Service, customer: Customer, example: str) -> None:
    if not environments.is_made(*AGENTS[example]):
        pytest.skip(
            f"{AGENTS[example][0]} takes minutes to install; tests.clients.environments.python does so once"
        )
    done = subprocess.run(
        [*environments.python(*AGENTS[example]), str(ROOT / "docs" / "examples" / example)],
        env=environment(service, customer),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    usage = UsageRecord.objects.filter(organization=customer.organization)
    wait_for(lambda: usage.count() == 3, what="its three sentences are billed")
    pauses = 2 * 24_000 * 300 // 1000
    spoken = sum(record.samples for record in usage)
    assert abs(len(done.stdout) // 2 - spoken - pauses) < 24_000 // 10, "all of the audio has come, and once"
