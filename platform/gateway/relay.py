"""Waiting for a job's end and its audio: asleep on the job's stream, holding no thread and no connection of
the database. What the stream cannot give, because Redis lost it, comes from the database and the audio store.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import redis
from psycopg_pool import PoolTimeout

from gateway.service import Service
from inference import assets, channel, results
from inference.results import Result

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
"""Silence after which the database is asked whether the job has ended unheard."""
REDIS_RETRY_SECONDS = 0.5


@dataclass(slots=True)
class _Collected:
    """The audio of the latest attempt, as far as it was heard without a gap."""

    attempt: int = 0
    pieces: list[bytes] = field(default_factory=list)
    whole: bool = True

    def take(self, event: channel.Event) -> None:
        if event.attempt > self.attempt:
            self.attempt, self.pieces, self.whole = event.attempt, [], True
        if isinstance(event, channel.Audio) and event.attempt == self.attempt:
            self.whole = self.whole and event.number == len(self.pieces)
            self.pieces.append(event.data)

    def audio(self, ended: channel.Ended) -> bytes | None:
        """The encoded audio, or None where a piece is missing."""
        if not self.whole or ended.attempt != self.attempt or len(self.pieces) != ended.chunks:
            return None
        streamed = b"".join(self.pieces)
        return ended.head + streamed[len(ended.head) :]


async def collect(service: Service, job_id: UUID) -> tuple[Result, bytes]:
    """How the job ended and, where it succeeded, its encoded audio, the same bytes that are stored."""
    while True:
        try:
            return await _collect(service, job_id)
        except redis.RedisError as error:
            log.warning("job %s: its stream is away: %s", job_id, type(error).__name__)
            await asyncio.sleep(REDIS_RETRY_SECONDS)
            if (result := await ended(service, job_id)) is not None:
                return result, await stored_audio(result)


async def _collect(service: Service, job_id: UUID) -> tuple[Result, bytes]:
    collected = _Collected()
    async for event in channel.read(service.redis, job_id, patience_seconds=PATIENCE_SECONDS):
        if event is None:
            result = await ended(service, job_id)
            if result is not None:
                return result, await stored_audio(result)
            continue
        collected.take(event)
        if isinstance(event, channel.Ended):
            audio = collected.audio(event)
            return event.result, await stored_audio(event.result) if audio is None else audio
    raise AssertionError("the stream of a job has no end of its own")


async def ended(service: Service, job_id: UUID) -> Result | None:
    """The job's result, if it has ended and the database is there to say so."""
    try:
        async with service.database.connection() as connection:
            return await results.fetch(connection, job_id)
    except (psycopg.OperationalError, PoolTimeout) as error:
        log.warning("job %s: the database is away: %s", job_id, type(error).__name__)
        return None


async def stored_audio(result: Result) -> bytes:
    """The bytes in the audio store; none for a job that did not succeed."""
    return await asyncio.to_thread(assets.load, result.path) if result.path else b""
