"""Chat completions as they are spoken, through the official client and as bytes on the wire."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import numpy as np
import pytest
from openai import APIError, APIStatusError, InternalServerError, OpenAI

from tests.conftest import Customer
from tests.gateway.speaking import MODEL, body, decode, scripted
from tests.live import Service, wait_for
from usage.models import RequestLog


def stream(client: OpenAI, request: dict[str, Any], **options: Any) -> list[Any]:
    known = {name: request.pop(name) for name in ("model", "messages", "modalities")}
    return list(client.chat.completions.create(**known, stream=True, extra_body=request, **options))


def pcm(chunks: list[Any]) -> bytes:
    deltas = [chunk.choices[0].delta.audio for chunk in chunks if chunk.choices]
    return b"".join(base64.b64decode(audio.data, validate=True) for audio in deltas if audio and audio.data)


def lines(service: Service, customer: Customer, request: dict[str, Any]) -> Iterator[str]:
    """The events as they stand on the wire."""
    with httpx.stream(
        "POST",
        f"{service.url}/v1/chat/completions",
        json={**request, "stream": True},
        headers=customer.headers,
        timeout=30,
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield from answer.iter_lines()


PCM16 = {"voice": "alloy", "format": "pcm16"}


def test_the_events_come_in_openais_order(service: Service, customer: Customer) -> None:
    request = scripted(20, audio=PCM16, stream_options={"include_usage": True}, text="A tone.")
    events = [line.removeprefix("data: ") for line in lines(service, customer, request) if line]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert {(chunk["object"], chunk["id"], chunk["model"]) for chunk in chunks} == {
        ("chat.completion.chunk", chunks[0]["id"], chunks[0]["model"])
    }
    first, transcript, *audio, expiry, finish, usage = chunks
    delta = first["choices"][0]["delta"]
    assert delta == {"role": "assistant", "refusal": None}
    said = transcript["choices"][0]["delta"]["audio"]
    audio_id = "audio_" + chunks[0]["id"].removeprefix("chatcmpl-")
    assert said == {"id": audio_id, "data": "", "transcript": "A tone."}
    for chunk in audio:
        assert list(chunk["choices"][0]["delta"]["audio"]) == ["data"]
        assert len(base64.b64decode(chunk["choices"][0]["delta"]["audio"]["data"], validate=True)) % 2 == 0
    assert list(expiry["choices"][0]["delta"]["audio"]) == ["data", "expires_at"]
    assert expiry["choices"][0]["delta"]["audio"]["data"] == ""
    assert finish["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": None}
    assert usage["choices"] == []
    assert (usage["usage"]["audio_seconds"], usage["usage"]["cost_usd"]) == (0.8, "0.000600000")
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


@pytest.mark.parametrize("audio", [{}, {"audio": None}, {"audio": {"voice": "alloy"}}])
def test_a_stream_without_a_format_is_pcm16(service: Service, customer: Customer, audio: dict[str, Any]) -> None:
    chunks = [
        json.loads(line.removeprefix("data: "))
        for line in lines(service, customer, scripted(20, **audio))
        if line.startswith("data: {")
    ]
    deltas = [chunk["choices"][0]["delta"]["audio"] for chunk in chunks if "audio" in chunk["choices"][0]["delta"]]
    assert sum(len(base64.b64decode(delta["data"])) for delta in deltas) == 2 * 20 * 960


def test_without_include_usage_no_chunk_speaks_of_it(client: OpenAI) -> None:
    chunks = stream(client, scripted(5, audio=PCM16))
    assert all(chunk.choices and "usage" not in chunk.model_fields_set for chunk in chunks)


def test_a_stream_is_the_whole_tone_without_a_gap(client: OpenAI) -> None:
    chunks = stream(client, scripted(50, audio=PCM16))
    samples = np.frombuffer(pcm(chunks), "<i2") / 32767
    ideal = 0.5 * np.sin(2 * np.pi * 440 * np.arange(50 * 960) / 24_000)
    assert np.abs(samples - ideal).max() < 1e-4


@pytest.mark.parametrize("format_name", ["wav", "mp3", "opus", "aac", "flac"])
def test_a_container_is_streamed_as_a_file_that_plays(client: OpenAI, format_name: str) -> None:
    request = scripted(50, audio={"voice": "nova", "format": format_name})
    chunks = stream(client, {**request, "stream_options": {"include_usage": True}})
    samples, rate, _ = decode(pcm(chunks))
    # A stream's first bytes cannot know its length, and AAC has no place for one: some silence more is heard.
    more = {"mp3": 3 * 576, "aac": 3 * 1024}.get(format_name, 0)
    assert 0 <= len(samples) * 24_000 // rate - chunks[-1].usage.completion_tokens * 960 <= more
    middle = samples[rate // 4 : -rate // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    peak = int(np.argmax(spectrum))
    assert peak * rate / len(middle) == pytest.approx(440, abs=2)
    spectrum[max(0, peak - 20) : peak + 21] = 0
    assert spectrum.max() < 0.01 * 0.25 * len(middle), "a gap or a click where two chunks meet"


def test_audio_comes_while_it_is_made(service: Service, customer: Customer) -> None:
    """The engine makes a frame and waits; the frame must be there before the next is made."""
    events = lines(service, customer, scripted(3, pace=0.7, audio=PCM16))
    heard = [event for event in events if '"data":' in event and '"data":""' not in event]
    assert len(heard) == 3, "each frame in an event of its own"


def test_silence_is_filled_with_comments(service: Service, customer: Customer) -> None:
    events = list(lines(service, customer, scripted(1, pace=2.6, audio=PCM16)))
    assert any(event.startswith(":") for event in events)
    assert events[-2] == "data: [DONE]"


def test_what_fails_before_it_begins_is_an_ordinary_error(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as raised:
        stream(client, body("", audio=PCM16))
    assert raised.value.status_code == 400
    with pytest.raises(APIStatusError, match="voice"):
        stream(client, body("Hi.", audio={"voice": "nobody", "format": "pcm16"}))
    with pytest.raises(InternalServerError):
        stream(client, scripted(5, audio=PCM16, script={"fail": 9}))


def test_an_error_after_the_start_is_raised_by_the_sdk_and_costs_what_was_delivered(
    client: OpenAI, customer: Customer
) -> None:
    with pytest.raises(APIError) as raised:
        stream(client, scripted(5, audio=PCM16, script={"break": 3, "always": True}))
    assert raised.value.code == "internal_error"
    assert "secret words" not in str(raised.value)
    row = wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).first())
    assert (row.status, row.error_code, row.cost) == (200, "internal_error", Decimal("0.00009"))


def test_another_attempt_goes_on_where_the_first_broke(client: OpenAI, customer: Customer) -> None:
    chunks = stream(client, scripted(10, audio=PCM16, script={"break": 4}))
    samples = np.frombuffer(pcm(chunks), "<i2") / 32767
    ideal = 0.5 * np.sin(2 * np.pi * 440 * np.arange(10 * 960) / 24_000)
    assert len(samples) == len(ideal)
    assert np.abs(samples - ideal).max() < 1e-4


def test_a_stream_is_billed_and_logged_like_any_answer(client: OpenAI, customer: Customer) -> None:
    stream(client, scripted(25, audio=PCM16))
    row = wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).first())
    assert (row.status, row.samples, row.cost, row.format) == (200, 24_000, Decimal("0.00075"), "pcm")
    assert row.first_audio_ms is not None


def test_the_answer_tells_its_limits_and_where_the_time_went(service: Service, customer: Customer) -> None:
    whole = httpx.post(
        f"{service.url}/v1/chat/completions", json=body("Hi."), headers=customer.headers, timeout=30
    )
    assert [step.partition(";")[0] for step in whole.headers["server-timing"].split(", ")] == [
        "auth",
        "admit",
        "queue",
        "synthesis",
        "encode",
    ]
    with httpx.stream(
        "POST",
        f"{service.url}/v1/chat/completions",
        json=body("Hi.", stream=True, audio=PCM16),
        headers=customer.headers,
    ) as answer:
        assert "queue;dur=" in answer.headers["server-timing"]
        assert int(answer.headers["x-ratelimit-remaining-requests"]) > 0
        assert answer.headers["x-request-id"].startswith("req_")
        answer.read()


def test_a_browser_may_call_only_where_the_settings_say_so(service: Service) -> None:
    preflight = httpx.options(
        f"{service.url}/v1/chat/completions",
        headers={"origin": "https://evil.example", "access-control-request-method": "POST"},
    )
    assert "access-control-allow-origin" not in preflight.headers


def test_aliases_are_served_by_our_model(client: OpenAI) -> None:
    chunks = stream(client, body("Hi.", model="gpt-4o-audio-preview", audio=PCM16))
    assert chunks[0].model.startswith("hibari-")
    assert client.models.retrieve("tts-1").id == MODEL
