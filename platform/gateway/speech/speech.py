"""POST /v1/audio/speech: OpenAI's speech endpoint, the audio sent as it is made
(https://platform.openai.com/docs/api-reference/audio/createSpeech).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gateway.errors import ApiError
from gateway.parsing import parse
from gateway.schemas import SpeechBody
from gateway.speech import background, sse, timestamps
from gateway.speech.outcome import AnswerFormat, Bill
from gateway.speech.relay import Begun, Finished, Times
from gateway.speech.speech_request import order_from_speech
from gateway.speech.spliced import HERE, Spliced
from gateway.speech.synthesis import Asked, SpeechRoute
from inference.speech.formats import AudioFormat


def _read(body: Any, offered: Sequence[str], most_characters: int) -> Asked:
    request = parse(SpeechBody, body)
    order = order_from_speech(request, offered, most_characters=most_characters)

    def answer(job_id: UUID, created: int) -> AnswerFormat:
        if request.stream_format == "sse":
            return _Events(order.timestamps)
        return _Bytes(AudioFormat.parse(order.format).content_type)

    if request.background:
        background.refuse_stream(streamed=request.stream_format == "sse", param="stream_format")
        return Asked(order, answer, streamed=False, background="audio.speech")
    return Asked(order, answer, streamed=True)


create_speech = SpeechRoute(_read)
"""Speak `input`."""


class _Bytes:
    """The audio itself. What it costs is asked of /v1/audio/{id}, whose id is in the headers: they leave first."""

    streamed = True

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type

    def begin(self, begun: Begun) -> bytes:
        return b""

    def audio(self, data: bytes) -> bytes:
        return data

    def times(self, times: Times) -> bytes:
        return b""

    def idle(self) -> bytes:
        return b""

    def end(self, finished: Finished, bill: Bill) -> bytes:
        return b""

    def fail(self, refusal: ApiError, bill: Bill) -> bytes:
        return b""


class _Events:
    """The audio in server-sent events."""

    streamed = True
    media_type = sse.MEDIA_TYPE

    def __init__(self, granularity: str) -> None:
        self._granularity = granularity
        self._audio = Spliced(sse.event({"type": "speech.audio.delta", "audio": HERE}))

    def begin(self, begun: Begun) -> bytes:
        return b""

    def audio(self, data: bytes) -> bytes:
        return self._audio.with_audio(data)

    def times(self, times: Times) -> bytes:
        return sse.event({"type": "speech.audio.timestamps", **timestamps.shown(times, self._granularity)})

    def idle(self) -> bytes:
        return sse.COMMENT

    def end(self, finished: Finished, bill: Bill) -> bytes:
        return sse.event(
            {"type": "speech.audio.done", "service_tier": finished.result.service_tier, "usage": usage(bill)}
        )

    def fail(self, refusal: ApiError, bill: Bill) -> bytes:
        return b"data: " + refusal.body(usage=usage(bill)).encode() + b"\n\n"


def usage(bill: Bill) -> dict[str, Any]:
    return {
        "input_tokens": bill.prompt_tokens,
        "output_tokens": bill.frames,
        "total_tokens": bill.prompt_tokens + bill.frames,
        "audio_seconds": bill.seconds,
        "cost_usd": bill.cost,
    }
