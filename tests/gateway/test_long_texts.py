"""A chapter in one request: who may send it, that it is spoken whole, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from django.core.management import call_command
from openai import OpenAI

from accounts.models import ApiKey, Organization
from billing import verification
from billing.models import Account, UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.batching import ended, results, start, tone_line
from tests.gateway.speaking import MODEL, ask, audio_of, body, decode, scripted, transcript_of
from tests.live import Service, wait_for

SENTENCE = "It was a dark and stormy night; the rain fell in torrents. "
CHAPTER = (SENTENCE * 1100)[:61_000].strip()
FRAME = Decimal("0.00003")
FRAMES_OF_15_MINUTES = 22_500
QUICKLY = {"at once": 25}
"""A second in each chunk, where it does not matter how many there are: each is an entry of the stream."""


@pytest.fixture
def reader(new_customer: Callable[..., Customer]) -> Customer:
    """A customer who may send long texts."""
    customer = new_customer(credit="20.00")
    call_command("set_limits", str(customer.organization.id), input_characters=100_000)
    return customer


def balance(customer: Customer) -> tuple[Decimal, Decimal]:
    account = Account.objects.get(organization=customer.organization)
    return account.balance, account.held


def test_a_chapter_is_spoken_as_a_stream(service: Service, reader: Customer) -> None:
    frames = FRAMES_OF_15_MINUTES + 100
    request = {
        "model": MODEL,
        "input": CHAPTER,
        "instructions": scripted(frames, script=QUICKLY)["messages"][0]["content"],
        "response_format": "pcm",
    }
    size = 0
    with httpx.stream(
        "POST", f"{service.url}/v1/audio/speech", json=request, headers=reader.headers, timeout=60
    ) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_bytes():
            size += len(piece)
    assert size == frames * 960 * 2
    assert balance(reader) == (20 - frames * FRAME, 0)
    assert verification.verify().clean


def test_a_chapter_is_spoken_as_a_whole(service: Service, reader: Customer) -> None:
    with OpenAI(base_url=f"{service.url}/v1", api_key=reader.secret, max_retries=0) as client:
        answer = ask(client, scripted(500, text=CHAPTER))
    assert len(decode(audio_of(answer))[0]) == 500 * 960
    audio = answer.choices[0].message.audio
    assert audio
    assert audio.transcript == transcript_of(audio.id)
    assert len(audio.transcript) > 60_000
    assert balance(reader) == (20 - 500 * FRAME, 0)


def test_the_refusal_names_the_limit(client: OpenAI, service: Service, reader: Customer) -> None:
    with pytest.raises(openai.BadRequestError, match="5000 characters; at most 4096 can be spoken") as refused:
        ask(client, body("a" * 5000))
    assert (refused.value.param, refused.value.code) == ("messages[0].content", "string_above_max_length")

    def refusal(length: int) -> str:
        request = {"model": MODEL, "input": "a" * length}
        answer = httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=reader.headers, timeout=30)
        if answer.status_code == 200:
            return ""  # a limit that was changed holds within a second
        assert answer.json()["error"]["param"] == "input"
        return str(answer.json()["error"]["message"])

    assert "100001 characters; at most 100000" in refusal(100_001)
    # The lower of the key's own limit and the organization's holds.
    ApiKey.objects.filter(id=reader.key.id).update(input_characters=9)
    wait_for(lambda: "10 characters; at most 9" in refusal(10))
    ApiKey.objects.filter(id=reader.key.id).update(input_characters=100)
    Organization.objects.filter(id=reader.organization.id).update(input_characters=50)
    wait_for(lambda: "60 characters; at most 50" in refusal(60))
    shown = httpx.get(f"{service.url}/v1/key", headers=reader.headers).json()["limits"]
    assert shown["key"]["input_characters"] == {"limit": 50, "remaining": 50}


def test_a_batch_takes_long_texts(service: Service, reader: Customer, client: OpenAI) -> None:
    line = tone_line(1, 5)
    line["body"]["input"] = CHAPTER
    with OpenAI(base_url=f"{service.url}/v1", api_key=reader.secret, max_retries=0) as readers_client:
        done = ended(readers_client, start(readers_client, [line]))
        assert done.status == "completed"
        [result] = results(readers_client, done.output_file_id)
    assert result["response"]["body"]["usage"]["output_tokens"] == 5
    assert balance(reader) == (20 - 5 * FRAME / 2, 0)
    refused = ended(client, start(client, [line]))
    assert refused.status == "failed"
    assert refused.errors
    assert refused.errors.data
    assert "at most 4096" in str(refused.errors.data[0].message)


def test_an_attempt_that_breaks_far_into_a_text_is_followed_by_another(service: Service, reader: Customer) -> None:
    """By then Redis has dropped the beginning of the first attempt; the client still gets each byte once."""
    frames = 6_000
    request = speech(frames, script={"break": 5_000})
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=reader.headers, timeout=60)
    plain = speech(frames, script=QUICKLY)
    expected = httpx.post(f"{service.url}/v1/audio/speech", json=plain, headers=reader.headers, timeout=60)
    assert len(answer.content) == frames * 960 * 2
    assert answer.content == expected.content
    assert balance(reader) == (20 - 2 * frames * FRAME, 0)


def speech(frames: int, *, pace: float = 0.0, script: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    style = scripted(frames, pace=pace, script=script or {})["messages"][0]["content"]
    return {"model": MODEL, "input": CHAPTER, "instructions": style, "response_format": "pcm", **more}


def test_a_chapter_in_the_background(service: Service, reader: Customer) -> None:
    frames = 6_000
    with httpx.Client(base_url=f"{service.url}/v1", headers=reader.headers, timeout=60) as client:
        accepted = client.post("/audio/speech", json=speech(frames, script=QUICKLY, background=True))
        assert accepted.status_code == 202
        path = f"/audio/{accepted.json()['id']}"
        wait_for(lambda: client.get(path).status_code != 202)
        assert len(client.get(path).content) == frames * 960 * 2
    assert balance(reader) == (20 - frames * FRAME, 0)


def test_a_chapter_outlives_its_worker(service: Service, reader: Customer) -> None:
    frames = 6_000
    whole = b""
    url = f"{service.url}/v1/audio/speech"
    request = speech(frames, pace=0.0004)
    with httpx.stream("POST", url, json=request, headers=reader.headers, timeout=60) as answer:
        for piece in answer.iter_bytes():
            if len(whole) < 960_000 <= len(whole) + len(piece):
                service.kill_worker()
                service.start_worker()
            whole += piece
    expected = httpx.post(url, json=speech(frames, script=QUICKLY), headers=reader.headers, timeout=60)
    assert whole == expected.content
    assert SynthesisJob.objects.filter(organization=reader.organization, attempt=2).count() == 1
    assert balance(reader) == (20 - 2 * frames * FRAME, 0)


def test_who_leaves_a_chapter_pays_for_what_was_heard(service: Service, reader: Customer) -> None:
    received = 0
    url = f"{service.url}/v1/audio/speech"
    with httpx.stream("POST", url, json=speech(60_000, pace=0.001), headers=reader.headers, timeout=60) as answer:
        for piece in answer.iter_bytes():
            received += len(piece)
            if received > 200_000:
                break
    record = wait_for(UsageRecord.objects.filter(organization=reader.organization).first)
    assert record
    assert received <= record.samples * 2 < 60_000 * 960
    assert balance(reader) == (20 - record.cost, 0)
    assert verification.verify().clean


FRAMES_OF_A_MINUTE = 1_500
MORE_MEMORY = 16 << 20


def test_long_audio_takes_no_more_memory(service: Service, reader: Customer) -> None:
    """Neither the worker that makes ten minutes nor the gateway that answers with them as a whole holds them."""

    def most_memory(minutes: int) -> list[int]:
        frames = FRAMES_OF_A_MINUTE * minutes
        processes = [part.pid for part in (service.gateway, service.worker) if part]
        for pid in processes:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak
        request = scripted(frames, text=CHAPTER, script=QUICKLY)
        url, size = f"{service.url}/v1/chat/completions", 0
        with httpx.stream("POST", url, json=request, headers=reader.headers, timeout=120) as answer:
            assert answer.status_code == 200
            for piece in answer.iter_raw():
                size += len(piece)
            assert int(answer.headers["content-length"]) == size > frames * 960 * 2 * 4 / 3
        return [peak_bytes(pid) for pid in processes]

    short, long = most_memory(1), most_memory(10)
    grown = [after - before for before, after in zip(short, long, strict=True)]
    assert max(grown) < MORE_MEMORY, grown


def peak_bytes(pid: int) -> int:
    """The most memory that a process has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
