"""What a request comes to: its bill, how its answer is written, and the error of a job that did not succeed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.conf import settings

from billing import policies, pricing
from gateway.errors import (
    ApiError,
    cancelled,
    hold_refused,
    internal,
    invalid,
    not_found,
    timed_out,
    unavailable,
    voice_not_supported,
)
from gateway.speech.relay import Begun, Finished, Times
from gateway.speech.settlement import HOLD_REFUSALS
from gateway.speech.spliced import SplicedFile
from inference.audio import FRAME_MS, SAMPLE_RATE, SAMPLES_PER_FRAME
from inference.results import Result
from usage.request_log import Row


@dataclass(frozen=True, slots=True)
class Bill:
    """What an answer says of its use."""

    prompt_tokens: int
    frames: int
    cost: str
    """Exact dollars."""
    voice_reference: str = ""
    """What became of a recording of a voice that came with the request; "" where none did."""

    @classmethod
    def of(cls, result: Result, *, replayed: bool) -> Bill:
        frames = result.samples // SAMPLES_PER_FRAME
        nothing = policies.replayed(frames * FRAME_MS) == 0
        cost = pricing.show(Decimal(0)) if replayed and nothing else result.receipt.get("cost_usd", "0")
        return cls(result.prompt_tokens, frames, cost)

    @property
    def seconds(self) -> float:
        return self.frames * SAMPLES_PER_FRAME / SAMPLE_RATE


def note(row: Row, result: Result, bill: Bill) -> None:
    """Keep in a call's row of the log what its job came to."""
    row.samples, row.cost = result.samples, Decimal(bill.cost)
    row.queue_ms = result.queue_ms
    row.first_audio_ms = result.first_audio_ms
    row.synthesis_ms = result.synthesis_ms


class AnswerFormat(Protocol):
    """How an answer is written. A `streamed` one leaves piece by piece, another one whole, from `end`."""

    streamed: bool
    media_type: str

    def begin(self, begun: Begun) -> bytes: ...

    def audio(self, data: bytes) -> bytes: ...

    def times(self, times: Times) -> bytes:
        """When words are spoken, which come only where they were asked for."""

    def idle(self) -> bytes:
        """Sent while nothing else is, so that no proxy takes the connection for dead; may be nothing."""

    def end(self, finished: Finished, bill: Bill) -> bytes | SplicedFile: ...

    def fail(self, refusal: ApiError, bill: Bill) -> bytes:
        """An error in an answer that has begun, and what was delivered before it costs; where there is no room for
        one, the connection breaks off."""


def failure_of(result: Result, bill: Bill) -> ApiError:
    """The error of a job that did not succeed, with its bill."""
    costs = f"what was delivered costs ${bill.cost}" if bill.frames else "it costs nothing"
    if result.error_code == "unsupported_text":
        return invalid(
            "The voice cannot speak this text: it has letters of a script that it does not know.",
            code="unsupported_text",
        )
    if result.error_code == "text_too_long":
        return invalid(
            "One of the sentences, with the style before it, leaves the model no room to speak: shorten the "
            "sentence, or the instructions (the system message).",
            code="text_too_long",
        )
    if result.error_code == "voice_not_supported":
        return voice_not_supported()
    if result.error_code == "voice_not_found":
        return not_found("The voice was deleted before it could speak.", code="voice_not_found", param="voice")
    if result.error_code == "invalid_recording":
        return invalid("There is no voice in the recording.", code="invalid_audio")
    if result.error_code in HOLD_REFUSALS:
        return hold_refused(result.error_code, costs)
    if result.state == "cancelled":
        return cancelled(costs)
    if result.state == "expired":
        return timed_out(settings.REQUEST_DEADLINE_SECONDS, costs)
    if result.error_code == "worker_lost":
        return unavailable(
            f"The workers that spoke this request were lost; {costs}. Please try again.",
            code="worker_lost",
            retry_after_seconds=2,
        )
    return internal(costs)
