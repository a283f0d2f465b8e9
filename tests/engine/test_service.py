"""The service with a checkpoint in place of the preview voice: the wire, the bill, a worker's death."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import redis
from openai import BadRequestError, OpenAI
from openai.types.chat import ChatCompletion

from billing.models import UsageRecord
from inference import channel, presence
from inference.models import SynthesisJob
from inference.speech.voices import VOICES
from tests.conftest import Customer
from tests.engine.serving import environment_of, kept_codes, spoken_by
from tests.gateway.speaking import audio_of, body, decode, speak
from tests.live import ROOT, Service, wait_for

TEXT = "Hello there, how do you do? This is the second sentence. And a third."


@pytest.fixture(scope="module")
def environment(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What makes a worker of this service's speak with the checkpoint, and in a voice of its own."""
    from tests.engine.checkpoints import make_recording

    voices = tmp_path_factory.mktemp("voices")
    make_recording(voices, "Narrator-2")
    return environment_of(checkpoint, HIGGS_VOICES=str(voices))


@pytest.fixture(scope="module")
def higgs(service: Service, environment: dict[str, str]) -> Iterator[Service]:
    """The session's service, with another worker in the place of its own."""
    with spoken_by(service, environment) as serving:
        yield serving


@pytest.fixture
def client(higgs: Service, customer: Customer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{higgs.url}/v1", api_key=customer.secret, max_retries=0) as openai:
        yield openai


def test_the_worker_says_what_it_is(higgs: Service) -> None:
    [worker] = httpx.get(f"{higgs.url}/readyz").json()["workers"]
    assert (worker["device"], worker["slots"]) == ("cpu", 8)


@pytest.mark.parametrize("format_name", ["wav", "mp3"])
def test_the_audio_is_exactly_as_long_as_billed(client: OpenAI, customer: Customer, format_name: str) -> None:
    completion = speak(client, TEXT, audio={"voice": "nova", "format": format_name}, seed=3)
    usage: Any = completion.usage
    samples, rate, channels = decode(audio_of(completion))
    assert (rate, channels) == (24_000, 1)
    assert len(samples) == usage.completion_tokens * 960 > 24_000
    assert completion.model.startswith("small@")
    assert completion.choices[0].finish_reason == "stop"
    record = UsageRecord.objects.get(organization=customer.organization)
    assert record.samples == len(samples)
    assert record.cost == usage.completion_tokens * Decimal("0.00003") == Decimal(usage.cost_usd)


def frames_of(completion: ChatCompletion) -> int:
    assert completion.usage is not None
    return completion.usage.completion_tokens


def test_max_completion_tokens_cuts_exactly(client: OpenAI) -> None:
    seed = next(seed for seed in range(20) if frames_of(speak(client, TEXT, seed=seed)) > 25)
    completion = speak(client, TEXT, seed=seed, max_completion_tokens=25)
    assert completion.choices[0].finish_reason == "length"
    assert len(decode(audio_of(completion))[0]) == 24_000
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 25


def test_a_recorded_voice_is_on_offer_while_every_worker_has_it(
    higgs: Service, client: OpenAI, customer: Customer, broker: redis.Redis
) -> None:
    def offered() -> list[str]:
        listed = httpx.get(f"{higgs.url}/v1/voices", headers=customer.headers).json()["data"]
        return [voice["id"] for voice in listed]

    audio = {"voice": "Narrator-2", "format": "wav"}
    wait_for(lambda: offered() == [*VOICES, "Narrator-2"], what="the recorded voice is on offer")
    document = httpx.get(f"{higgs.url}/v1/openapi.json").json()
    by_name, *_ = document["components"]["schemas"]["AudioOptions"]["properties"]["voice"]["anyOf"]
    assert by_name["enum"] == [*VOICES, "Narrator-2"]
    front_page = httpx.get(f"{higgs.url}/").text
    assert "Narrator-2" in front_page
    assert "samples/" not in front_page, "they are of other models"
    assert audio_of(speak(client, "One word.", audio=audio, seed=1))
    talk = "[SPEAKER0] Good morning.\n[SPEAKER1] And to you."
    speak(client, talk, audio={"voice": "alloy", "format": "wav", "voices": {"SPEAKER1": "Narrator-2"}})
    [job] = SynthesisJob.objects.filter(organization=customer.organization).exclude(voices={})
    assert job.voices == {"SPEAKER0": "alloy", "SPEAKER1": "Narrator-2"}

    presence.announce(broker, "another", {"voices": VOICES, "model": "", "device": "", "slots": 1, "running": 0})
    try:
        wait_for(lambda: offered() == list(VOICES), what="the voice of one worker only is not on offer")
        with pytest.raises(BadRequestError, match=f"Supported values: {', '.join(VOICES)}") as refused:
            speak(client, "One word.", audio=audio)
        assert refused.value.param == "audio.voice"
    finally:
        presence.leave(broker, "another")


def test_a_seed_repeats_the_codes(client: OpenAI) -> None:
    """The audio's last bits depend on how the frames are cut into windows, and that on the pace of the steps."""

    def codes(seed: int) -> np.ndarray[Any, Any]:
        audio = speak(client, TEXT, seed=seed).choices[0].message.audio
        assert audio is not None
        return kept_codes(audio.id)

    once, again, other = (codes(seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


def test_a_killed_workers_job_goes_on_where_it_was(
    higgs: Service, client: OpenAI, customer: Customer, broker: redis.Redis, environment: dict[str, str]
) -> None:
    """The same audio as without the kill, but for the first chunk, which has all its context now; and one bill."""
    expected, *_ = decode(audio_of(speak(client, TEXT, seed=1)))

    def ask() -> httpx.Response:
        request = body(TEXT, seed=1)
        return httpx.post(f"{higgs.url}/v1/chat/completions", json=request, headers=customer.headers, timeout=60)

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask)
        jobs = SynthesisJob.objects.filter(organization=customer.organization, state="running")
        job = wait_for(jobs.first, what="the job runs")
        wait_for(lambda: broker.xlen(channel.key(job.id)) >= 2, what="audio has gone out")
        higgs.kill_worker()
        higgs.start_worker(**environment)
        completion = answer.result()
    assert completion.status_code == 200, completion.text
    assert SynthesisJob.objects.get(id=job.id).attempt == 2
    assert f"job {job.id}: attempt 2 goes on after" in higgs.log("worker")
    samples, *_ = decode(base64.b64decode(completion.json()["choices"][0]["message"]["audio"]["data"]))
    assert len(samples) == len(expected)
    assert abs(samples - expected)[24_000:].max() < 1e-3
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 2


def test_a_wrong_checkpoint_stops_the_worker_and_says_why(tmp_path: Path) -> None:
    start = "import django; django.setup(); from inference import worker; worker.start(concurrency=1)"
    done = subprocess.run(
        [sys.executable, "-c", start],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "HIGGS_CHECKPOINT": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"cannot read config.json of checkpoint {tmp_path.name}" in done.stderr
