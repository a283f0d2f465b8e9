"""However the audio is cut, by the engine, a second attempt or the network, the same bytes arrive."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from gateway.speech.chat import create_chat_completion
from gateway.speech.outcome import AnswerFormat
from gateway.speech.relay import Begun, Piece, _Heard
from gateway.speech.speech import create_speech
from inference import channel

JOB = UUID(int=7)
VOICES = ("alloy",)
AUDIO = st.binary(max_size=400)
CUTS = st.lists(st.integers(0, 400), max_size=12)


def cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The data in pieces, none of them empty."""
    places = sorted({0, len(data), *(place for place in cuts if place < len(data))})
    return [data[start:end] for start, end in pairwise(places)]


def answers() -> Iterator[tuple[AnswerFormat, Any]]:
    """Each way of sending events, and where the audio is in one of them."""
    chat = {
        "model": "tts-1",
        "modalities": ["text", "audio"],
        "stream": True,
        "messages": [{"role": "user", "content": "Hi."}],
    }
    asked = create_chat_completion.read({**chat, "audio": {"voice": "alloy", "format": "pcm16"}}, VOICES, 4096)
    yield asked.answer(JOB, 0), lambda event: event["choices"][0]["delta"].get("audio", {}).get("data", "")
    speech = {"model": "tts-1", "voice": "alloy", "input": "Hi.", "stream_format": "sse"}
    yield create_speech.read(speech, VOICES, 4096).answer(JOB, 0), lambda event: event["audio"]


@given(AUDIO, CUTS, CUTS, st.sets(st.integers(0, 12)))
def test_events_bring_the_audio_whole(
    audio: bytes, cuts: list[int], network: list[int], silences: set[int]
) -> None:
    for answer, data_of in answers():
        sent = answer.begin(Begun("higgs", "Hi: \n\n data: ünïcode"))
        for number, piece in enumerate(cut(audio, cuts)):
            sent += answer.idle() if number in silences else b""
            sent += bytes(answer.audio(piece))
        wire = cut(sent, [place * 7 for place in network])
        events = [json.loads(event.data) for event in SSEDecoder().iter_bytes(iter(wire))]
        assert b"".join(base64.b64decode(data_of(event), validate=True) for event in events) == audio


@given(AUDIO, CUTS, CUTS, st.integers(0, 12))
def test_an_attempt_that_takes_over_repeats_and_leaves_out_nothing(
    audio: bytes, first: list[int], second: list[int], dies_after: int
) -> None:
    heard = _Heard()
    got = b""
    for attempt, pieces in ((1, cut(audio, first)[:dies_after]), (2, cut(audio, second))):
        for number, piece in enumerate(pieces):
            for event in heard.take(channel.Audio(attempt, number, piece)):
                assert isinstance(event, Piece)
                got += event.data
    assert got == audio
