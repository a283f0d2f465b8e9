"""Listening to a job: asleep on its stream, holding no thread and no connection of the database. What the stream
cannot give, because Redis lost it, comes from the database and the audio store.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
import redis
from psycopg_pool import PoolTimeout

from gateway import database_threads
from gateway.service import Service
from inference import assets, channel, jobs, results, stored_times
from inference.results import Result
from inference.speech.alignment import Timed

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
"""Silence after which the database is asked whether the job has ended unheard."""
REDIS_RETRY_SECONDS = 0.5
PIECE_BYTES = 48_000
"""Of stored audio; whole samples, and whole groups of base64."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The voice that speaks, and what it will say. It began so many milliseconds before this was heard."""

    engine_model: str
    transcript: str
    before_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """The job's end. `head` replaces the first bytes of what was heard."""

    result: Result
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Piece:
    """Encoded audio, and the job's billed frames up to its end; 0 where it comes from the store."""

    data: bytes
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Times:
    """When the next words are spoken; `alignment` is exact or estimated."""

    times: tuple[Timed, ...]
    alignment: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came for a while."""


Event = Begun | Piece | Times | Silence | Finished


async def listen(service: Service, job_id: UUID, *, deadline_seconds: float) -> AsyncIterator[Event]:
    """What a job says: `Begun` once, its encoded audio from the first byte to the last, `Finished`.

    However many attempts it takes, no byte comes twice: each attempt's stream is the whole audio, of which what
    was handed on before is left out. After `deadline_seconds` a job that is past its own deadline is ended.

    The end comes from the stream, or, where that is silent or away, from the database. Audio that the stream did
    not give by then comes from the store.
    """
    heard = _Heard()
    until = time.monotonic() + deadline_seconds
    end: Finished | None = None
    has_all = False
    while end is None:
        heard.start_over()
        try:
            with service.streams.open(job_id) as stream:
                while end is None:
                    event = await stream.next(patience_seconds=PATIENCE_SECONDS)
                    if event is None:
                        yield Silence()
                        end = await _end(service, job_id, heard, late=time.monotonic() > until)
                        continue
                    for each in heard.take(event):
                        yield each
                        del each  # who waits for the next piece keeps none of the last
                    if isinstance(event, channel.Ended):
                        end, has_all = Finished(event.result, event.head), heard.whole(event)
                    del event
        except redis.RedisError as error:
            log.warning("job %s: its stream is away: %s", job_id, type(error).__name__)
            await asyncio.sleep(REDIS_RETRY_SECONDS)
            end = await _end(service, job_id, heard, late=time.monotonic() > until)
    if not has_all:
        async for rest in _stored(end.result, heard):
            yield rest
    yield end


async def replay(result: Result) -> AsyncIterator[Event]:
    """What an ended job said, from the store."""
    async for event in _stored(result, _Heard()):
        yield event
    yield Finished(result)


async def ended(service: Service, job_id: UUID) -> Result | None:
    """The job's result, if it has ended and the database is there to say so."""
    with _database_away(job_id):
        async with service.database.connection() as connection:
            return (await results.fetch(connection, [job_id])).get(job_id)
    return None


class _Heard:
    """How much of the audio was handed on, over all attempts and connections."""

    def __init__(self) -> None:
        self.begun = False
        self.bytes = 0
        self.frames = 0
        self.times = 0
        """Words whose time was handed on."""
        self.start_over()

    def start_over(self, attempt: int = 0) -> None:
        """Another attempt, or the same stream anew: both begin at the first byte."""
        self._attempt, self._number, self._position, self._unbroken = attempt, 0, 0, True
        self._times_told = 0

    def take(self, event: channel.Event) -> list[Event]:
        """What of it is new."""
        if event.attempt > self._attempt:
            self.start_over(event.attempt)
        match event:
            case channel.Started() if not self.begun:
                self.begun = True
                return [Begun(event.engine_model, event.transcript, event.before_ms)]
            case channel.Audio() if event.attempt == self._attempt:
                self._unbroken = self._unbroken and event.number == self._number
                if self._unbroken:
                    return self._new(event)
            case channel.TimesKnown() if event.attempt == self._attempt and self._unbroken:
                return self.new_times(event.times, event.quality)
        return []

    def whole(self, ended: channel.Ended) -> bool:
        """Whether nothing is missing of the attempt that ended so."""
        return self._unbroken and ended.attempt == self._attempt and ended.chunks == self._number

    def new_times(self, times: tuple[Timed, ...], alignment: str) -> list[Event]:
        """Those of the attempt's next words that were not told before."""
        told = self.times - self._times_told
        self._times_told += len(times)
        new = times[max(0, told) :]
        self.times = max(self.times, self._times_told)
        return [Times(new, alignment)] if new else []

    def _new(self, event: channel.Audio) -> list[Event]:
        data = event.data
        self._number += 1
        self._position += len(data)
        new = data[max(0, len(data) - (self._position - self.bytes)) :] if self._position > self.bytes else b""
        self.bytes += len(new)
        self.frames = max(self.frames, event.frames)
        return [Piece(new, self.frames)] if new else []


async def _stored(result: Result, heard: _Heard) -> AsyncIterator[Event]:
    """What was not heard of a job that has ended, from the audio store."""
    if not result.path:
        return
    if not heard.begun:
        heard.begun = True
        yield Begun(result.engine_model, result.transcript)
    pieces = assets.pieces(result.path, start=heard.bytes, size=PIECE_BYTES)
    while data := await asyncio.to_thread(next, pieces, b""):
        yield Piece(data)
    if result.times_path:
        kept = await asyncio.to_thread(stored_times.load, result.times_path)
        heard.start_over()
        for each in heard.new_times(kept.times, kept.alignment):
            yield each


async def _end(service: Service, job_id: UUID, heard: _Heard, *, late: bool) -> Finished | None:
    """The job's end, if the database has it."""
    result = await _result(service, job_id, heard, late=late)
    return None if result is None else Finished(result)


async def _result(service: Service, job_id: UUID, heard: _Heard, *, late: bool) -> Result | None:
    """How the job ended, if it has; one that is past its deadline is ended, and billed by what was heard."""
    result = None
    with _database_away(job_id):
        result = await service.ends.of(job_id)
    if result is not None or not late:
        return result
    with _database_away(job_id):
        if not await database_threads.run(jobs.expire, job_id, frames=heard.frames):
            return await ended(service, job_id)  # it has another deadline since its first audio
    return await ended(service, job_id) or Result(state="expired")


@contextmanager
def _database_away(job_id: UUID) -> Iterator[None]:
    """Go on without what the database would have said."""
    try:
        yield
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.warning("job %s: the database is away: %s", job_id, type(error).__name__)
