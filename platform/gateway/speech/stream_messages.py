"""What a client and the service say to each other over the socket for speech."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, Literal

import pybase64
from pydantic import Field, StringConstraints

from billing import pricing
from gateway.errors import ApiError, invalid
from gateway.schemas import MAX_STYLE_CHARACTERS, Name, Schema, ServiceTier, Voice
from gateway.speech import timestamps
from gateway.speech.outcome import Bill
from gateway.speech.relay import Times
from inference.speech.alignment import Timed

MAX_PIECE_CHARACTERS = 20_000
HEADERLESS = ("pcm", "mulaw", "alaw")
"""Formats whose pieces are one audio when they are joined."""


class ContextSettings(Schema):
    """How a context is spoken; only its first message may say so."""

    model: Name | None = None
    voice: Voice | None = None
    response_format: Name | None = None
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] | None = None
    speed: Annotated[float, Field(ge=0.25, le=4)] | None = None
    instructions: Annotated[str, StringConstraints(max_length=MAX_STYLE_CHARACTERS)] | None = None
    timestamps: Literal["word", "sentence"] | None = None
    pronunciation: Name | None = None
    service_tier: ServiceTier | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=1, le=1024)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None


class StreamMessage(ContextSettings):
    """One message of the client's."""

    context_id: Annotated[str, StringConstraints(max_length=64)] = ""
    """Which of the socket's texts this belongs to."""
    text: Annotated[str, StringConstraints(max_length=MAX_PIECE_CHARACTERS)] | None = None
    """The next piece of the text; "" ends it."""
    flush: bool | None = None
    """Speak what has come, though no sentence has ended."""
    more: bool | None = Field(default=None, alias="continue")
    """False where this is the last piece."""
    cancel: bool | None = None
    """Stop speaking this text at once, and forget the rest."""

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that it gives, as a request for speech names them."""
        given = self.model_dump(include={*ContextSettings.model_fields}, exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None}

    @property
    def ends(self) -> bool:
        return self.text == "" or self.more is False


def settings_are_fixed(name: str) -> ApiError:
    return invalid(f"Invalid value for {name!r}: only the first message of a context may set it.", param=name)


def sentence(context_id: str, text: str, *, request_id: str, audio_id: str) -> str:
    return _message("sentence", context_id, text=text, request_id=request_id, audio_id=audio_id)


def chunk(context_id: str, audio: bytes) -> str:
    return _message("chunk", context_id, data=pybase64.b64encode_as_string(audio))


def times(context_id: str, told: Times, granularity: str, *, after_ms: int, offset: int) -> str:
    """The times of a sentence as those of its context: `after_ms` of audio and `offset` characters came before
    it."""
    moved = tuple(
        Timed(each.text, each.start_ms + after_ms, each.end_ms + after_ms, each.offset + offset)
        for each in told.times
    )
    return _message("timestamps", context_id, **timestamps.shown(Times(moved, told.alignment), granularity))


def flush_done(context_id: str, number: int) -> str:
    return _message("flush_done", context_id, flush_id=number)


def done(context_id: str, usage: dict[str, Any], *, cancelled: bool) -> str:
    return _message("done", context_id, cancelled=cancelled, usage=usage)


def error(context_id: str, refusal: ApiError) -> str:
    return _message("error", context_id, status=int(refusal.status), error=refusal.members())


def usage_of(bills: list[Bill]) -> dict[str, Any]:
    """What a context's sentences cost together, to the nano-dollar."""
    frames, tokens = sum(bill.frames for bill in bills), sum(bill.prompt_tokens for bill in bills)
    return {
        "input_tokens": tokens,
        "output_tokens": frames,
        "total_tokens": tokens + frames,
        "audio_seconds": sum(bill.seconds for bill in bills),
        "cost_usd": pricing.show(sum((Decimal(bill.cost) for bill in bills), Decimal(0))),
    }


def _message(type: str, context_id: str, **members: Any) -> str:
    return json.dumps({"type": type, "context_id": context_id, **members}, separators=(",", ":"))
