"""Several speakers in one text, and conversations that go on from earlier answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from openai import APIStatusError, NotFoundError, OpenAI

from inference.models import AudioAsset, SynthesisJob
from tests.conftest import Customer
from tests.gateway.speaking import audio_of, body, decode, speak
from tests.live import Service

TALK = "[SPEAKER0] Good morning, how are you today? [SPEAKER1] Very well, and you?"


def job_of(customer: Customer) -> SynthesisJob:
    return SynthesisJob.objects.get(organization=customer.organization)


def spoken(client: OpenAI, text: str, voice: str, **audio: Any) -> np.ndarray[Any, Any]:
    return decode(audio_of(speak(client, text, audio={"voice": voice, "format": "wav", **audio})))[0]


def test_tags_switch_the_voice_and_are_not_read_out(client: OpenAI) -> None:
    """The first line sounds as it does alone, and so does the second one in its own voice."""
    voices = {"SPEAKER0": "onyx", "SPEAKER1": "shimmer"}
    talk = spoken(client, TALK, "alloy", voices=voices)
    first = spoken(client, "Good morning, how are you today?", "onyx")
    second = spoken(client, "Very well, and you?", "shimmer")
    assert talk[: len(first) - 2400] == pytest.approx(first[:-2400], abs=1e-4)
    assert len(talk) == pytest.approx(len(first) + len(second) + 0.2 * 24_000, abs=3000)
    assert not np.array_equal(talk, spoken(client, TALK, "alloy", voices=["shimmer", "onyx"]))


def test_the_transcript_keeps_who_spoke(client: OpenAI) -> None:
    message = speak(client, "[SPEAKER0] It is 7. [SPEAKER1] Thanks!").choices[0].message
    assert message.audio is not None
    assert message.audio.transcript == "[SPEAKER0] It is seven. [SPEAKER1] Thanks!"


@pytest.mark.parametrize(
    ("system", "options", "cast"),
    [
        ("", {}, {"SPEAKER0": "coral", "SPEAKER1": "alloy"}),
        ("", {"voices": ["echo", "sage"]}, {"SPEAKER0": "echo", "SPEAKER1": "sage"}),
        ("", {"voices": {"SPEAKER1": "echo"}}, {"SPEAKER0": "coral", "SPEAKER1": "echo"}),
        ("", {"voices": {"SPEAKER1": "coral"}}, {"SPEAKER0": "alloy", "SPEAKER1": "coral"}),
        ("SPEAKER1: echo\nSPEAKER0: fable", {}, {"SPEAKER0": "fable", "SPEAKER1": "echo"}),
        ("SPEAKER0: feminine; warm\nSPEAKER1: masculine", {}, {"SPEAKER0": "nova", "SPEAKER1": "echo"}),
        ("SPEAKER0: echo", {"voices": ["ash"]}, {"SPEAKER0": "ash", "SPEAKER1": "alloy"}),
    ],
)
def test_who_speaks_as_whom(
    client: OpenAI, customer: Customer, system: str, options: dict[str, Any], cast: dict[str, str]
) -> None:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": TALK}]
    speak(client, messages=messages, audio={"voice": "coral", "format": "wav", **options})
    assert job_of(customer).voices == cast


def test_an_unknown_voice_is_named(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as raised:
        speak(client, TALK, audio={"voice": "alloy", "format": "wav", "voices": {"SPEAKER1": "nobody"}})
    assert (raised.value.status_code, raised.value.param) == (400, "audio.voices.SPEAKER1")


def test_tags_alone_say_nothing(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as raised:
        speak(client, "[SPEAKER0] [SPEAKER1]")
    assert raised.value.code == "nothing_to_speak"


def test_speech_knows_dialogue_too(service: Service, customer: Customer) -> None:
    request = {"model": "tts-1", "input": TALK, "voice": "alloy", "voices": ["onyx", "shimmer"]}
    answer = httpx.post(f"{service.url}/v1/audio/speech", json=request, headers=customer.headers, timeout=30)
    assert answer.status_code == 200
    assert job_of(customer).voices == {"SPEAKER0": "onyx", "SPEAKER1": "shimmer"}


def turn(audio_id: str) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": "First."},
        {"role": "assistant", "audio": {"id": audio_id}},
        {"role": "user", "content": "Second."},
    ]


def test_an_earlier_answer_is_context(client: OpenAI, customer: Customer) -> None:
    first = speak(client, "First.").choices[0].message
    assert first.audio is not None
    second = client.chat.completions.create(
        **body(messages=[{"role": "user", "content": "First."}, first, {"role": "user", "content": "Second."}])
    )
    assert second.choices[0].message.audio is not None
    assert second.choices[0].message.audio.transcript == "Second."
    last = SynthesisJob.objects.filter(organization=customer.organization).order_by("-created_at")[0]
    assert [job.hex for job in last.context] == [first.audio.id.removeprefix("audio_")]


def test_the_engine_is_handed_what_was_said(client: OpenAI) -> None:
    """The tests' engine says its context's texts when its script asks for them."""
    first = speak(client, "It is 7.").choices[0].message
    assert first.audio is not None
    messages = [{"role": "system", "content": 'script: {"echo context": true}'}, *turn(first.audio.id)]
    second = speak(client, messages=messages)
    plain = speak(client, "It is seven.", audio={"voice": "alloy", "format": "wav"})
    assert audio_of(second) == audio_of(plain)


def test_an_unknown_earlier_answer_is_named(client: OpenAI) -> None:
    for name in ("audio_" + "0" * 32, "nothing"):
        with pytest.raises(NotFoundError) as raised:
            speak(client, messages=turn(name))
        assert (raised.value.code, raised.value.param) == ("audio_not_found", "messages[1].audio.id")


def test_anothers_answer_is_unknown(
    client: OpenAI, service: Service, new_customer: Callable[..., Customer]
) -> None:
    message = speak(client, "Hi.").choices[0].message
    assert message.audio is not None
    stranger = OpenAI(base_url=f"{service.url}/v1", api_key=new_customer().secret, max_retries=0)
    with pytest.raises(NotFoundError):
        speak(stranger, messages=turn(message.audio.id))


def test_an_expired_answer_is_gone(client: OpenAI, customer: Customer) -> None:
    message = speak(client, "Hi.").choices[0].message
    assert message.audio is not None
    AudioAsset.objects.filter(organization=customer.organization).update(expires_at="2026-01-01T00:00:00Z")
    with pytest.raises(APIStatusError) as raised:
        speak(client, messages=turn(message.audio.id))
    assert (raised.value.status_code, raised.value.code) == (410, "audio_expired")
