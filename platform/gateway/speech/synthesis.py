"""A request for speech, from its body to its answer's last byte: one path for every route, shape and format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from accounts.keys import Principal
from gateway import database_threads
from gateway.door import trailers
from gateway.errors import body_too_large, client_closed, expired
from gateway.large_bodies import LargeBodies
from gateway.limits.limiter import Slot
from gateway.limits.limits import input_characters
from gateway.parsing import read_body, read_json
from gateway.service import Service
from gateway.speech import (
    admission,
    background,
    conversation,
    hangups,
    outcome,
    own_voices,
    recordings,
    relay,
    stopping,
)
from gateway.speech.idempotency import Ask
from gateway.speech.outcome import AnswerFormat, Bill, failure_of
from gateway.speech.recordings import VoiceRecording
from gateway.speech.relay import Begun, Finished, Piece, Silence, Times
from gateway.speech.speech_request import SpeechOrder
from gateway.speech.spoken_length import spoken_length
from gateway.speech.timings import Timings
from inference import jobs, pronunciations, results
from inference.audio import SAMPLES_PER_FRAME
from inference.results import Result
from inference.speech.formats import AudioFormat
from usage.request_log import Row

_large = LargeBodies()
RETRY_GRACE_SECONDS = 0.8
"""How long a job waits for the client that hung up to ask again; OpenAI's SDKs do so within half a second."""
LARGE_BODY_BYTES = 16_384
"""From here on a body is understood in a thread: its steps take milliseconds, and others go on between them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, understood. `answer` makes its answer for a job and the moment it was asked."""

    order: SpeechOrder
    answer: Callable[[UUID, int], AnswerFormat]
    streamed: bool
    """Whether the answer leaves as it is spoken."""
    background: background.Kind | None = None
    """What it asks for where its answer is not waited for."""
    voice_reference: str = ""
    """What became of the recording of a voice that it carries; "" where it carries none."""


class SpeechRoute:
    """An ASGI endpoint. `read` understands its body, given the voices on offer and the longest text that the
    caller may send, or refuses it."""

    def __init__(
        self, read: Callable[[Any, Sequence[str], int], Asked], *, takes_recordings: bool = False
    ) -> None:
        self.read = read
        self._takes_recordings = takes_recordings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        service: Service = request.state.service
        row: Row = request.state.row
        timings = Timings()
        principal = await service.keys.authenticate(request)
        timings.mark("auth")
        # Before the body: to refuse who is over the rate, or has nothing to pay with, shall cost nothing.
        async with service.limiter.slot(principal, short=_is_short(request)) as slot:
            service.solvency.check(principal.organization_id, request.headers)
            asked, ask = await self._read(request, principal)
            order = await pronounced(service, principal, asked.order)
            await conversation.check(service.database, principal, order.context)
            await own_voices.check(service, principal, order)
            row.model, row.voice, row.format = order.model, order.voice, AudioFormat.parse(order.format).name
            row.characters, row.service_tier = len(order.text), order.service_tier
            await slot.charge(order.max_frames)
            if asked.background:
                row.job_id = await _admit_in_background(service, principal, order, ask, asked.background)
                # Nobody is here at its end to correct the charge: it counts with its longest length.
                slot.tokens_used = order.max_frames
                answer = await background.accepted(row.job_id, asked.background)
                await JSONResponse(answer, 202, slot.headers)(scope, receive, send)
                return
            admitted = await admission.admit(service, principal, order, ask, streamed=asked.streamed)
            timings.mark("admit")
            row.job_id = admitted.job_id
            serving = _Serving(
                service,
                row,
                slot,
                timings,
                admitted,
                send,
                voice_reference=asked.voice_reference,
                warnings=order.warnings,
                takes_trailers=trailers.EXTENSION in scope.get("extensions", {}),
            )
            await serving.serve(asked.answer(admitted.job_id, int(time.time())), receive, ask)

    async def _read(self, request: Request, principal: Principal) -> tuple[Asked, Ask]:
        """Read and understand the body. Raises ApiError: it is not a request that can be spoken."""
        service: Service = request.state.service
        limit = settings.ENVIRONMENT.max_body_bytes
        most = input_characters(principal)
        with _large.of(principal.organization_id) as large:
            body = await read_body(request, limit=limit, large=large if self._takes_recordings else None)
            offered = await service.workers.voices()
            if len(body) > LARGE_BODY_BYTES:
                asked, ask, found = await asyncio.to_thread(self._understand, request, body, offered, most)
            else:
                asked, ask, found = self._understand(request, body, offered, most)
            del body
            audio = [await recordings.decode(recording) for recording in found]
        if not found:
            return asked, ask
        if not await service.workers.can_clone():
            return replace(asked, voice_reference=recordings.NOT_USED), ask
        order = recordings.cast(asked.order, found, audio)
        return replace(asked, order=order, voice_reference=recordings.CLONED), ask

    def _understand(
        self, request: Request, body: bytes, offered: Sequence[str], most_characters: int
    ) -> tuple[Asked, Ask, list[VoiceRecording]]:
        """Raises ApiError: 400, 404 or 413, it is not a request that can be spoken."""
        data = read_json(body)
        found = recordings.cut_out(data) if self._takes_recordings else []
        if len(body) - sum(len(each.data) for each in found) > (limit := settings.ENVIRONMENT.max_body_bytes):
            raise body_too_large(limit, recordings=self._takes_recordings)
        return (
            self.read(data, offered, most_characters),
            Ask.of(request.headers, request.scope["path"], data),
            found,
        )


def _is_short(request: Request) -> bool:
    """Whether the body says that it is; one that says nothing may be of any length."""
    return int(request.headers.get("content-length", LARGE_BODY_BYTES + 1)) <= LARGE_BODY_BYTES


async def _admit_in_background(
    service: Service, principal: Principal, order: SpeechOrder, ask: Ask, kind: background.Kind
) -> UUID:
    """The job of a request that nobody waits for. Raises ApiError: it is refused."""
    async with background.place(principal, kind) as job_id:
        deadline = background.DEADLINE_SECONDS
        admitted = await admission.admit(
            service, principal, order, ask, streamed=False, deadline_seconds=deadline, job_id=job_id
        )
        if admitted.replayed:
            await background.leave(job_id)
    return admitted.job_id


async def pronounced(service: Service, principal: Principal, order: SpeechOrder) -> SpeechOrder:
    """The order with its dictionary, and with room for what that says. Raises ApiError: 404, there is none."""
    version = await service.pronunciations.find(principal, order.dictionary)
    if version is None:
        return order
    dictionary = await database_threads.run(pronunciations.dictionary_of, version)
    length = await asyncio.to_thread(spoken_length, order.text, speed=order.speed, dictionary=dictionary)
    return replace(order.as_long_as(length), pronunciation=version)


class _Serving:
    """One request's job on its way to its client."""

    def __init__(
        self,
        service: Service,
        row: Row,
        slot: Slot,
        timings: Timings,
        admitted: admission.Admitted,
        send: Send,
        *,
        voice_reference: str,
        warnings: Sequence[str],
        takes_trailers: bool,
    ) -> None:
        self._service = service
        self._row = row
        self._slot = slot
        self._timings = timings
        self._job_id = admitted.job_id
        self._replayed = admitted.replayed
        self._voice_reference = voice_reference
        self._warnings = warnings
        self._send = send
        self._started = False
        self._bill: Bill | None = None
        """Once the job has ended, which it may have done before it was asked for again."""
        self._takes_trailers = takes_trailers
        self._trailing = False
        """Whether the price follows the body."""
        self._relayed_frames = 0
        """Billed frames of the audio that was handed to the connection."""

    async def serve(self, answer: AnswerFormat, receive: Receive, ask: Ask) -> None:
        try:
            async with hangups.noticed(receive):
                last = await self._relay(answer)
        except hangups.ClientClosed:
            await self._hung_up(ask)
            raise client_closed() from None
        await self._send({"type": "http.response.body", "body": last})
        if self._trailing and self._bill is not None:
            await self._send({"type": trailers.EXTENSION, "headers": _raw(_price(self._bill))})

    async def _relay(self, answer: AnswerFormat) -> bytes:
        """Send all but the last piece, which is returned.

        The first piece waits for audio, unless that is long in coming: what fails until then is an ordinary error.
        """
        beginning = b""
        async for event in self._events():
            match event:
                case Begun():
                    self._timings.mark("queue", before_ms=event.before_ms)
                    beginning = answer.begin(event)
                    continue
                case Piece():
                    await self._pass_on(answer, beginning + answer.audio(event.data))
                    if answer.streamed:
                        # What comes from the store carries no count, and is of a job that has been billed.
                        self._relayed_frames = max(self._relayed_frames, event.frames)
                        self._row.relayed_samples = self._relayed_frames * SAMPLES_PER_FRAME
                case Times():
                    await self._pass_on(answer, beginning + answer.times(event))
                case Silence():
                    await self._pass_on(answer, beginning + answer.idle())
                case Finished():
                    return await self._finish(answer, event)
            beginning = b""
            del event
        raise AssertionError("a job's events end with its end")

    async def _events(self) -> AsyncIterator[relay.Event]:
        deadline = settings.REQUEST_DEADLINE_SECONDS
        result = await relay.ended(self._service, self._job_id) if self._replayed else None
        if result:
            self._bill = Bill.of(result, replayed=True)
        heard = (
            relay.replay(result)
            if result
            else relay.listen(self._service, self._job_id, deadline_seconds=deadline)
        )
        try:
            async for event in heard:
                yield event
                del event  # as in `relay`: who waits keeps no audio
        except FileNotFoundError:
            raise expired() from None

    async def _pass_on(self, answer: AnswerFormat, piece: bytes) -> None:
        if answer.streamed:
            await self._start(answer)
            if piece:
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _finish(self, answer: AnswerFormat, finished: Finished) -> bytes:
        result = finished.result
        bill = self._bill = replace(
            Bill.of(result, replayed=self._replayed), voice_reference=self._voice_reference
        )
        self._note(result, bill)
        if result.state == results.SUCCEEDED:
            last = answer.end(finished, bill)
            self._timings.take(result)
            await self._start(answer, length=None if answer.streamed else len(last), bill=bill)
            if isinstance(last, bytes):
                return last
            for piece in last:
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            return b""
        refusal = failure_of(result, bill)
        if not self._started:
            raise refusal
        self._row.refuse(refusal.code, refusal.message, refusal.param)
        if not (last := answer.fail(refusal, bill)):
            raise refusal
        return last

    async def _start(self, answer: AnswerFormat, *, length: int | None = None, bill: Bill | None = None) -> None:
        """Send the head, once. The price is in it where the job has ended by now; else it is in the trailers."""
        if self._started:
            return
        self._started = True
        headers = {
            **self._slot.headers,
            "content-type": answer.media_type,
            "server-timing": str(self._timings),
            "x-audio-id": f"audio_{self._job_id.hex}",
            "x-service-tier": self._row.service_tier,
        }
        if length is not None:
            headers["content-length"] = str(length)
        else:
            headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
        bill = bill or self._bill
        if bill is not None:
            headers |= _price(bill)
        self._trailing = bill is None and self._takes_trailers
        if self._voice_reference:
            headers["x-voice-reference"] = self._voice_reference
        if self._warnings:
            headers["x-speech-warnings"] = f"ignored: {', '.join(self._warnings)}".encode(
                "ascii", "replace"
            ).decode()
        if self._replayed:
            headers["idempotency-replayed"] = "true"
        if self._trailing:
            headers["trailer"] = ", ".join(PRICE_HEADERS)
        start = {"type": "http.response.start", "status": 200, "headers": _raw(headers)}
        await self._send({**start, "trailers": True} if self._trailing else start)

    async def _hung_up(self, ask: Ask) -> None:
        """Abandon the job unless the client asks again, and log what is billed of it."""
        self._row.status = client_closed().status
        await database_threads.run(jobs.leave, self._job_id, relayed_frames=self._relayed_frames)
        if ask.may_come_again:
            await asyncio.sleep(RETRY_GRACE_SECONDS)
        cut = await stopping.abandon(self._service, self._job_id)
        if cut or await relay.ended(self._service, self._job_id) is not None:
            result = await stopping.end_of(self._service, self._job_id)
            if result is not None:
                self._note(result, Bill.of(result, replayed=self._replayed))

    def _note(self, result: Result, bill: Bill) -> None:
        outcome.note(self._row, result, bill)
        self._slot.tokens_used = 0 if self._replayed else bill.frames


PRICE_HEADERS = ("x-audio-seconds", "x-cost-usd")


def _price(bill: Bill) -> dict[str, str]:
    return dict(zip(PRICE_HEADERS, (f"{bill.seconds:.2f}", bill.cost), strict=True))


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
