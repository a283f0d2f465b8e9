"""Stored audio is free to fetch, so fetching it costs the gateway next to nothing, however it is asked for."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import psutil
import pytest
from django.utils import timezone
from openai import OpenAI

from accounts.models import ApiKey
from inference import assets
from inference.models import AudioAsset
from tests.conftest import Customer
from tests.gateway.speaking import decode, speak
from tests.live import Service, wait_for

MB = 1 << 20
LONG_SECONDS = 400
"""19 MB of WAV, whose conversion takes some seconds."""
SLACK_BYTES = 60 * MB
"""What the gateway may take for other reasons while it is measured."""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


def make_long(service: Service, customer: Customer, seconds: int = LONG_SECONDS) -> str:
    """The id of stored audio of so many seconds of noise, which encoders find hard."""
    with OpenAI(base_url=f"{service.url}/v1", api_key=customer.secret, max_retries=0) as client:
        audio = speak(client).choices[0].message.audio
    assert audio is not None
    noise = np.random.default_rng(1).normal(0, 4000, 24_000 * seconds).clip(-32767, 32767).astype("<i2")
    with wave.open(str(file_of(audio.id)), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(noise.tobytes())
    AudioAsset.objects.filter(job_id=job_of(audio.id)).update(samples=len(noise))
    return audio.id


def job_of(audio_id: str) -> UUID:
    return UUID(audio_id.removeprefix("audio_"))


def file_of(audio_id: str) -> Path:
    return Path(assets.store().path(AudioAsset.objects.get(job_id=job_of(audio_id)).path))


def get(service: Service, customer: Customer, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{service.url}/v1/audio/{path}", headers={**customer.headers, **headers}, timeout=120)


def gateway(service: Service) -> psutil.Process:
    assert service.gateway is not None
    return psutil.Process(service.gateway.pid)


def converting(service: Service) -> list[psutil.Process]:
    return gateway(service).children()


def begin(threads: ThreadPoolExecutor, service: Service, customer: Customer, path: str) -> Future[httpx.Response]:
    """Ask for a conversion, and wait until it runs."""
    before = len(converting(service))
    answer = threads.submit(get, service, customer, path)
    wait_for(lambda: len(converting(service)) > before or answer.done(), what="the conversion runs")
    assert not answer.done()
    return answer


def test_many_ranges_keep_the_gateways_memory_flat(
    service: Service, customer: Customer, threads: ThreadPoolExecutor
) -> None:
    audio_id = make_long(service, customer)
    whole = file_of(audio_id).read_bytes()
    before = gateway(service).memory_info().rss

    def one_byte(n: int) -> bool:
        at = n * 150_000
        answer = get(service, customer, audio_id, range=f"bytes={at}-{at}")
        return answer.status_code == 206 and answer.content == whole[at : at + 1]

    highest = before
    answers = [threads.submit(one_byte, n) for n in range(120)]
    while not all(answer.done() for answer in answers):
        highest = max(highest, gateway(service).memory_info().rss)
    assert all(answer.result() for answer in answers)
    assert highest - before < SLACK_BYTES
    assert get(service, customer, audio_id).content == whole


def test_readers_who_do_not_read_hold_no_audio_in_memory(service: Service, customer: Customer) -> None:
    audio_id = make_long(service, customer)
    before = gateway(service).memory_info().rss
    with httpx.Client(headers=customer.headers, timeout=30) as client:
        waiting = [
            client.send(client.build_request("GET", f"{service.url}/v1/audio/{audio_id}"), stream=True)
            for _ in range(8)
        ]
        assert {answer.status_code for answer in waiting} == {200}
        assert gateway(service).memory_info().rss - before < SLACK_BYTES
        for answer in waiting:
            answer.close()


def test_a_conversion_is_made_once_in_a_process_of_its_own_and_kept(
    service: Service, customer: Customer, threads: ThreadPoolExecutor
) -> None:
    audio_id = make_long(service, customer, seconds=300)
    before = gateway(service).memory_info().rss
    first = begin(threads, service, customer, f"{audio_id}?format=opus")
    others = [threads.submit(get, service, customer, f"{audio_id}?format=opus") for _ in range(10)]
    [process] = converting(service)
    wait_for(lambda: process.nice() > 0, what="a lower priority")  # its first act, once Python has started
    highest = before
    while not first.done():
        assert len(converting(service)) <= 1
        highest = max(highest, gateway(service).memory_info().rss)
    assert first.result().status_code == 200
    assert {answer.result().content for answer in others} == {first.result().content}
    assert highest - before < SLACK_BYTES
    samples, rate, _ = decode(first.result().content)
    assert len(samples) / rate == pytest.approx(300, abs=0.001)
    file_of(audio_id).write_bytes(b"unreadable by now")  # whoever converts again fails
    assert get(service, customer, f"{audio_id}?format=opus").content == first.result().content


def test_one_conversion_at_a_time_a_customer_and_two_in_all(
    service: Service, new_customer: Callable[..., Customer], threads: ThreadPoolExecutor
) -> None:
    customers = [new_customer() for _ in range(3)]
    audio = [make_long(service, customer) for customer in customers]
    running = [begin(threads, service, customers[n], f"{audio[n]}?format=opus") for n in range(2)]
    again = get(service, customers[0], f"{audio[0]}?format=mp3")
    assert (again.status_code, again.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    third = get(service, customers[2], f"{audio[2]}?format=mp3")
    assert (third.status_code, third.json()["error"]["code"]) == (503, "conversions_busy")
    assert int(again.headers["retry-after"]) > 0
    assert int(third.headers["retry-after"]) > 0
    assert not any(answer.done() for answer in running)
    assert [answer.result().status_code for answer in running] == [200, 200]
    assert get(service, customers[2], f"{audio[2]}?format=flac").status_code == 200


def test_a_conversion_that_nobody_waits_for_ends(service: Service, customer: Customer) -> None:
    audio_id = make_long(service, customer)
    with httpx.Client(headers=customer.headers, timeout=0.5) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.get(f"{service.url}/v1/audio/{audio_id}?format=opus")
    wait_for(lambda: not converting(service), seconds=2, what="its process is gone")
    assert AudioAsset.objects.get(job_id=job_of(audio_id)).conversions == {}


def test_a_file_that_cannot_be_read_hurts_nobody(service: Service, customer: Customer) -> None:
    audio_id = make_long(service, customer, seconds=1)
    file_of(audio_id).write_bytes(b"\xff" * 100_000)
    answer = get(service, customer, f"{audio_id}?format=opus")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert httpx.get(f"{service.url}/healthz").status_code == 200


@pytest.mark.parametrize("how", ["deleted", "expired"])
def test_converted_copies_go_with_the_original(service: Service, customer: Customer, how: str) -> None:
    audio_id = make_long(service, customer, seconds=1)
    for wanted in ("mp3", "flac"):
        assert get(service, customer, f"{audio_id}?format={wanted}").status_code == 200
    folder, name = file_of(audio_id).parent, job_of(audio_id).hex
    assert len([*folder.glob(f"{name}*.mp3"), *folder.glob(f"{name}*.flac")]) == 2
    if how == "deleted":
        httpx.delete(f"{service.url}/v1/audio/{audio_id}", headers=customer.headers).raise_for_status()
    else:
        past = timezone.now() - timedelta(seconds=1)
        AudioAsset.objects.filter(job_id=job_of(audio_id)).update(expires_at=past)
        assets.purge_expired()
    assert [*folder.glob(f"{name}*")] == []


def test_fetching_counts_among_the_requests_of_its_key(service: Service, customer: Customer) -> None:
    audio_id = make_long(service, customer, seconds=1)
    ApiKey.objects.filter(id=customer.key.id).update(requests_per_minute=1)
    wait_for(lambda: get(service, customer, audio_id).status_code == 429, seconds=5, what="the limit holds")
    refused = get(service, customer, audio_id)
    assert refused.json()["error"]["type"] == "requests"
    assert int(refused.headers["retry-after"]) > 0


def test_a_purge_goes_on_until_nothing_is_due(
    service: Service, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "PURGE_BATCH", 2)
    kept = [make_long(service, customer, seconds=1) for _ in range(5)]
    AudioAsset.objects.filter(job_id__in=map(job_of, kept)).update(expires_at=timezone.now())
    assert assets.purge_expired() >= len(kept)
    assert not AudioAsset.objects.filter(job_id__in=map(job_of, kept), purged_at=None).exists()
