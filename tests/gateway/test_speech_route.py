"""POST /v1/audio/speech through the official client."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from openai import OpenAI

from billing.models import Account, UsageRecord
from inference.models import SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import decode, transcript_of
from tests.live import Service


def say(client: OpenAI, text: str = "The quick brown fox.", **members: Any) -> httpx.Response:
    options: dict[str, Any] = {"model": "tts-1", "voice": "alloy", **members}
    with client.audio.speech.with_streaming_response.create(input=text, **options) as answer:
        answer.read()
        return answer.http_response


def billed_samples(customer: Customer) -> int:
    return UsageRecord.objects.get(organization=customer.organization).samples


def test_a_sentence_becomes_an_mp3_by_default(client: OpenAI, customer: Customer) -> None:
    answer = say(client)
    samples, rate, _ = decode(answer.content)
    assert (answer.headers["content-type"], rate) == ("audio/mpeg", 24_000)
    assert 0 <= len(samples) - billed_samples(customer) <= 3 * 576
    assert answer.headers["transfer-encoding"] == "chunked"


def test_pcm_is_exactly_what_is_billed(client: OpenAI, customer: Customer) -> None:
    answer = say(client, response_format="pcm")
    assert len(answer.content) == 2 * billed_samples(customer)


def test_the_audio_can_be_fetched_by_the_id_in_the_headers(
    client: OpenAI, service: Service, customer: Customer
) -> None:
    answer = say(client, response_format="pcm")
    again = httpx.get(f"{service.url}/v1/audio/{answer.headers['x-audio-id']}", headers=customer.headers)
    assert again.content == answer.content


def test_it_costs_what_chat_costs(client: OpenAI, customer: Customer) -> None:
    say(client, response_format="pcm")
    record = UsageRecord.objects.get(organization=customer.organization)
    assert record.cost == record.duration_ms * Decimal("0.00000075")


def test_sse_carries_the_audio_and_its_cost(client: OpenAI) -> None:
    text = say(client, response_format="pcm", stream_format="sse").text
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data")]
    *deltas, done = events
    assert {event["type"] for event in deltas} == {"speech.audio.delta"}
    audio = b"".join(base64.b64decode(event["audio"], validate=True) for event in deltas)
    assert done["type"] == "speech.audio.done"
    usage = done["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert len(audio) == usage["output_tokens"] * 1920
    assert Decimal(usage["cost_usd"]) == usage["output_tokens"] * Decimal("0.00003")


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_speed_changes_the_length_and_not_the_pitch(client: OpenAI, speed: float) -> None:
    script = 'script: {"frames": 100}'
    plain = say(client, response_format="pcm", instructions=script).content
    changed = say(client, response_format="pcm", instructions=script, speed=speed).content
    assert len(changed) % 1920 == 0, "whole frames"
    assert len(changed) / len(plain) == pytest.approx(1 / speed, rel=0.05)
    assert pitch(changed) == pytest.approx(440, rel=0.02)


def pitch(data: bytes) -> float:
    import numpy as np

    samples = np.frombuffer(data, "<i2")[4800:-4800].astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * 24_000 / len(samples))


def test_instructions_are_the_style_and_are_not_spoken(client: OpenAI, customer: Customer) -> None:
    answer = say(client, "Good morning.", instructions="Whisper.", response_format="wav")
    assert transcript_of(answer.headers["x-audio-id"]) == "Good morning."
    assert SynthesisJob.objects.get(organization=customer.organization).style == ""


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": "a" * 4097}, "input"),
        ({"input": 3}, "input"),
        ({"model": "nothing"}, "model"),
        ({"voice": "nobody"}, "voice"),
        ({"response_format": "ogg"}, "response_format"),
        ({"speed": 0.2}, "speed"),
        ({"speed": 4.1}, "speed"),
        ({"stream_format": "xml"}, "stream_format"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_member_is_named(
    service: Service, customer: Customer, members: dict[str, Any], param: str
) -> None:
    request = {"model": "tts-1", "input": "Hi.", "voice": "alloy", **members}
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=customer.headers)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["error"]["param"] == param


def test_an_error_in_the_audio_breaks_the_connection_off(service: Service, customer: Customer) -> None:
    instructions = 'script: {"frames": 5, "break": 3, "always": true}'
    request = {"model": "tts-1", "input": "Hi.", "voice": "alloy", "instructions": instructions}
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=customer.headers, timeout=20)
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (1 - 3 * Decimal("0.00003"), 0), "what was delivered is billed"
