"""One sentence of a socket's text: a job like any request's, with a row of its own in the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from accounts.identifiers import new_id
from gateway import database_threads
from gateway.errors import ApiError, client_closed, internal
from gateway.parsing import parse
from gateway.recorder import new_row
from gateway.schemas import SpeechBody
from gateway.service import Service
from gateway.speech import admission, conversation, outcome, relay, stopping, synthesis
from gateway.speech.admission import Admitted
from gateway.speech.conversation import EarlierTurn
from gateway.speech.idempotency import Ask
from gateway.speech.outcome import Bill, failure_of
from gateway.speech.relay import Finished, Piece
from gateway.speech.speech_request import SpeechOrder, order_from_speech
from inference import jobs, results
from inference.audio import SAMPLES_PER_FRAME
from inference.results import Result
from inference.speech.formats import AudioFormat
from usage.request_log import Row

METHOD, ROUTE = "WS", "/v1/audio/speech/stream"
"""As the log has them."""


class SentenceJob:
    """Speaks one sentence. The task that iterates over `events` may be cancelled at any moment: the job is then
    abandoned, billed by what was handed on, and logged.

    Attributes:
        row: its row in the request log.
        bill: what it came to, once that is known.
    """

    def __init__(self, service: Service, connection: HTTPConnection) -> None:
        self._service = service
        self._connection = connection
        self._began = time.perf_counter()
        address = connection.client.host if connection.client else None
        self.row = new_row(connection.scope, address, method=METHOD, route=ROUTE)
        self.row.status = 200
        self.bill: Bill | None = None
        self.job_id: UUID | None = None
        self._relayed_frames = 0

    async def events(
        self, text: str, given: dict[str, Any], earlier: Sequence[UUID]
    ) -> AsyncGenerator[relay.Event | SpeechOrder, None]:
        """The order once it is admitted, and then what the job says, up to its end.

        Args:
            given: the settings of its context.
            earlier: the jobs of the context's sentences before it, from which the voice goes on.

        Raises:
            ApiError: it is refused, or fails.
        """
        try:
            async with aclosing(self._spoken(text, given, earlier)) as events:
                async for event in events:
                    yield event
        except ApiError as refusal:
            self.row.status = int(refusal.status)
            self.row.refuse(refusal.code, refusal.message, refusal.param)
            raise
        except Exception:
            self.row.status = internal().status
            raise
        finally:
            self.row.total_ms = round((time.perf_counter() - self._began) * 1000)
            if self.row.organization_id is not None:
                self._service.log.add(self.row)

    async def _spoken(
        self, text: str, given: dict[str, Any], earlier: Sequence[UUID]
    ) -> AsyncGenerator[relay.Event | SpeechOrder, None]:
        service, row = self._service, self.row
        # Each sentence asks anew: a key that is revoked meanwhile speaks no other one.
        principal = await service.keys.authenticate(_with_row(self._connection, row))
        async with service.limiter.slot(principal) as slot:
            service.solvency.check(principal.organization_id, Headers())
            order = read_order(text, given, await service.workers.voices())
            order = await synthesis.pronounced(service, principal, order)
            row.model, row.voice, row.format = order.model, order.voice, AudioFormat.parse(order.format).name
            row.characters, row.service_tier = len(order.text), order.service_tier
            turns = tuple(EarlierTurn(job_id, "context_id") for job_id in earlier)
            with suppress(ApiError):  # what has expired or was deleted is no longer heard
                await conversation.check(service.database, principal, turns)
                order = replace(order, context=turns)
            await slot.charge(order.max_frames)
            ask = Ask("", new_id(), "first")
            admitting = asyncio.create_task(admission.admit(service, principal, order, ask, streamed=True))
            try:
                # Shielded, or a job that is committed at that moment would be nobody's.
                await asyncio.shield(admitting)
                self.job_id = row.job_id = admitting.result().job_id
                yield order
                async for event in self._heard(self.job_id):
                    yield event
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError | GeneratorExit) and self.bill is None:
                    row.status = client_closed().status
                await _to_its_end(self._abandon(admitting))
                raise
            finally:
                slot.tokens_used = self.bill.frames if self.bill is not None else 0

    async def _heard(self, job_id: UUID) -> AsyncIterator[relay.Event]:
        """What the job says. Raises ApiError: it failed."""
        deadline = settings.REQUEST_DEADLINE_SECONDS
        async for event in relay.listen(self._service, job_id, deadline_seconds=deadline):
            if isinstance(event, Piece):
                self._relayed_frames = max(self._relayed_frames, event.frames)
                self.row.relayed_samples = self._relayed_frames * SAMPLES_PER_FRAME
            elif isinstance(event, Finished):
                self._note(event.result)
                if event.result.state != results.SUCCEEDED:
                    raise failure_of(event.result, Bill.of(event.result, replayed=False))
            yield event

    def _note(self, result: Result) -> None:
        """Keep what the job came to."""
        self.bill = Bill.of(result, replayed=False)
        outcome.note(self.row, result, self.bill)

    async def _abandon(self, admitting: asyncio.Task[Admitted]) -> None:
        """Stop the job, if there is one that has not ended, and learn what is billed of it."""
        await asyncio.wait([admitting])
        if self.bill is not None or admitting.exception() is not None:
            return
        job_id = self.row.job_id = admitting.result().job_id
        await database_threads.run(jobs.leave, job_id, relayed_frames=self._relayed_frames)
        await stopping.abandon(self._service, job_id)
        if (result := await stopping.end_of(self._service, job_id)) is not None:
            self._note(result)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for work that must not be left half done, although the waiting task is cancelled meanwhile.

    A socket that closes can end a sentence twice: nothing can be sent to it, and its contexts are cancelled.
    """
    task = asyncio.create_task(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


def read_order(text: str, given: dict[str, Any], offered: Sequence[str]) -> SpeechOrder:
    """The order for a sentence. Raises ApiError: 400 or 404, a setting is wrong."""
    return order_from_speech(parse(SpeechBody, {**given, "input": text}), offered)


def _with_row(connection: HTTPConnection, row: Row) -> HTTPConnection:
    """The connection as that of one call: several sentences of a socket are served at a time."""
    scope = connection.scope
    return HTTPConnection({**scope, "state": {**scope["state"], "row": row}})
