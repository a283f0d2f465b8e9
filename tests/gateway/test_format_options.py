"""Formats of telephony and the web, and their options: on both routes for speech and for stored audio."""

from __future__ import annotations

import io
from typing import Any

import av
import httpx
import numpy as np
import pytest
from openai import OpenAI

from inference.models import AudioAsset
from inference.speech.encoding.resampling import Meter
from tests.conftest import Customer
from tests.gateway.speaking import audio_of, decode, speak
from tests.live import Service

TEXT = "The quick brown fox jumps over the lazy dog. Then it rests a while, and looks at the moon."


def say(service: Service, customer: Customer, **members: Any) -> httpx.Response:
    body = {"model": "tts-1", "input": TEXT, **members}
    return httpx.post(f"{service.url}/v1/audio/speech", json=body, headers=customer.headers, timeout=30)


def seconds_of(answer: httpx.Response) -> float:
    asset = AudioAsset.objects.get(job_id=answer.headers["x-audio-id"].removeprefix("audio_"))
    return float(asset.samples / 24_000)


def bare(data: bytes, demuxer: str, rate: int) -> np.ndarray[Any, Any]:
    """The samples of a file without a head, as FFmpeg hears them."""
    with av.open(io.BytesIO(data), format=demuxer, options={"sample_rate": str(rate)}) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


@pytest.mark.parametrize("name", ["mulaw", "g711_ulaw", "pcmu", "alaw", "g711_alaw", "pcma"])
def test_telephony_gets_a_byte_a_sample_at_8_khz(service: Service, customer: Customer, name: str) -> None:
    answer = say(service, customer, response_format=name)
    law = "mulaw" if name in ("mulaw", "g711_ulaw", "pcmu") else "alaw"
    assert answer.headers["content-type"] == {"mulaw": "audio/PCMU", "alaw": "audio/PCMA"}[law]
    assert len(answer.content) == round(seconds_of(answer) * 8_000)
    assert len(answer.content) % 160 == 0, "whole frames of 20 ms"
    plain = np.frombuffer(say(service, customer, response_format="pcm", sample_rate=8_000).content, "<i2")
    heard = bare(answer.content, law, 8_000)
    assert np.corrcoef(heard, plain)[0, 1] > 0.999


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 48_000])
def test_pcm_and_wav_have_the_asked_rate_and_the_same_length(
    service: Service, customer: Customer, rate: int
) -> None:
    bare_answer = say(service, customer, response_format="pcm", sample_rate=rate)
    assert bare_answer.headers["content-type"] == f"audio/pcm;rate={rate};channels=1"
    assert len(bare_answer.content) == 2 * round(seconds_of(bare_answer) * rate)
    stored = httpx.get(f"{service.url}/v1/audio/{bare_answer.headers['x-audio-id']}", headers=customer.headers)
    assert stored.content == bare_answer.content
    samples, heard_rate, _ = decode(say(service, customer, response_format="wav", sample_rate=rate).content)
    assert (len(samples), heard_rate) == (len(bare_answer.content) // 2, rate)


@pytest.mark.parametrize(("format", "low", "high"), [("mp3", 32_000, 128_000), ("opus", 12_000, 96_000)])
def test_a_bitrate_is_kept(service: Service, customer: Customer, format: str, low: int, high: int) -> None:
    sizes = [len(say(service, customer, response_format=format, bitrate=bits).content) for bits in (low, high)]
    assert 0.6 * high / low < sizes[1] / sizes[0] < 1.5 * high / low


def test_opus_comes_in_webm(service: Service, customer: Customer) -> None:
    answer = say(service, customer, response_format="opus", container="webm", bitrate=32_000)
    assert answer.headers["content-type"] == "audio/webm; codecs=opus"
    assert answer.content.startswith(b"\x1aE\xdf\xa3"), "EBML"
    samples, rate, _ = decode(answer.content)
    assert rate == 48_000
    assert len(samples) == pytest.approx(seconds_of(answer) * 48_000, abs=1_000)
    kept = httpx.get(f"{service.url}/v1/audio/{answer.headers['x-audio-id']}", headers=customer.headers)
    assert kept.headers["content-disposition"].endswith('.webm"')
    with av.open(io.BytesIO(kept.content)) as container:
        assert container.duration == pytest.approx(seconds_of(answer) * 1e6, abs=20_000)


def loudness(samples: np.ndarray[Any, Any]) -> float:
    meter = Meter()
    for start in range(0, len(samples), 24_000):
        meter.push(samples[start : start + 24_000].astype(np.float32))
    return meter.loudness


@pytest.mark.parametrize("target", [-30.0, -23.0, -16.0])
def test_audio_is_brought_to_a_loudness(service: Service, customer: Customer, target: float) -> None:
    streamed, _, _ = decode(say(service, customer, response_format="wav", loudness=target).content)
    assert loudness(streamed) == pytest.approx(target, abs=1.0)
    made = say(service, customer, response_format="wav").headers["x-audio-id"]
    converted = httpx.get(
        f"{service.url}/v1/audio/{made}?format=wav&loudness={target}", headers=customer.headers, timeout=60
    )
    assert loudness(decode(converted.content)[0]) == pytest.approx(target, abs=0.3)


def test_chat_takes_the_options_in_audio(client: OpenAI) -> None:
    completion = speak(
        client, TEXT, audio={"voice": "alloy", "format": "wav", "sample_rate": 16_000, "loudness": -16}
    )
    samples, rate, _ = decode(audio_of(completion))
    assert rate == 16_000
    assert len(samples) / rate == pytest.approx(completion.usage.audio_seconds, abs=0.001)  # type: ignore[union-attr]


@pytest.mark.parametrize("query", ["format=mulaw", "format=opus&container=webm", "format=wav&sample_rate=8000"])
@pytest.mark.parametrize(
    "source", [{"response_format": "pcm", "sample_rate": 16_000}, {"response_format": "alaw"}]
)
def test_stored_audio_is_converted(
    service: Service, customer: Customer, source: dict[str, Any], query: str
) -> None:
    made = say(service, customer, **source)
    url = f"{service.url}/v1/audio/{made.headers['x-audio-id']}?{query}"
    answer = httpx.get(url, headers=customer.headers, timeout=60)
    assert answer.status_code == 200, answer.text
    if "mulaw" in query:
        length = len(bare(answer.content, "mulaw", 8_000)) / 8_000
    else:
        samples, rate, _ = decode(answer.content)
        length = len(samples) / rate
    assert length == pytest.approx(seconds_of(made), abs=0.02)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"response_format": "mp3", "sample_rate": 16_000}, "sample_rate"),
        ({"response_format": "mulaw", "sample_rate": 16_000}, "sample_rate"),
        ({"response_format": "opus", "sample_rate": 44_100}, "sample_rate"),
        ({"response_format": "wav", "sample_rate": 7_999}, "sample_rate"),
        ({"response_format": "wav", "bitrate": 64_000}, "bitrate"),
        ({"response_format": "mp3", "bitrate": 65_000}, "bitrate"),
        ({"response_format": "mp3", "container": "webm"}, "container"),
        ({"response_format": "opus", "container": "mkv"}, "container"),
        ({"loudness": 3}, "loudness"),
        ({"loudness": "loud"}, "loudness"),
    ],
)
def test_what_a_format_does_not_have_is_named(
    service: Service, customer: Customer, members: dict[str, Any], param: str
) -> None:
    answer = say(service, customer, **members)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    audio = {**members, "format": members.get("response_format", "wav")}
    audio.pop("response_format", None)
    body = {
        "model": "tts-1",
        "modalities": ["text", "audio"],
        "audio": audio,
        "messages": [{"role": "user", "content": "Hi."}],
    }
    chat = httpx.post(f"{service.url}/v1/chat/completions", json=body, headers=customer.headers)
    assert (chat.status_code, chat.json()["error"]["param"]) == (400, f"audio.{param}")


def test_copies_of_one_audio_are_bounded(service: Service, customer: Customer) -> None:
    made = say(service, customer, input="Hi.", response_format="wav").headers["x-audio-id"]
    asset = AudioAsset.objects.get(job_id=made.removeprefix("audio_"))
    AudioAsset.objects.filter(pk=asset.pk).update(conversions={f"opus;bitrate={n}": "" for n in range(16)})
    answer = httpx.get(f"{service.url}/v1/audio/{made}?format=mp3", headers=customer.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_many_conversions")
