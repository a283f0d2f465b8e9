"""What one gateway process holds open, shared by its requests."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
import redis
import redis.asyncio
from django.conf import settings
from psycopg_pool import AsyncConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from accounts.liveness import has_ended
from gateway.authentication import KeyCache
from gateway.limits.limiter import Limiter
from gateway.limits.solvency import Solvency
from gateway.pronouncing import Pronunciations
from gateway.scripts import RedisScript, Scripts
from gateway.speech.ends import Ends
from gateway.speech.group_commit import Admissions
from gateway.workers import Workers
from inference import doorbell
from inference.stream_reader import StreamReader
from usage.request_log import RequestLogWriter

log = logging.getLogger(__name__)

_RING = RedisScript(doorbell.RING)


@dataclass(frozen=True, slots=True)
class Service:
    """The database pool and Redis, the reader of the jobs' streams, the ends of silent jobs, the workers seen
    there, the remembered keys, the rate limits, who has nothing left, the admissions, the log, the keys'
    pronunciation dictionaries."""

    database: AsyncConnectionPool
    redis: redis.asyncio.Redis
    streams: StreamReader
    ends: Ends
    workers: Workers
    keys: KeyCache
    limiter: Limiter
    solvency: Solvency
    admissions: Admissions
    log: RequestLogWriter
    pronunciations: Pronunciations


async def _still_open(connection: psycopg.AsyncConnection) -> None:
    """Refuse a connection whose server has gone."""
    if has_ended(connection):
        await connection.close()  # else the pool, which believes libpq, would offer it again
        raise psycopg.OperationalError("the server closed the connection")


async def ring_through(scripts: Scripts) -> None:
    """Tell the workers that committed jobs wait. Celery's own way of sending would block the event loop."""
    try:
        await scripts.run(_RING, [doorbell.QUEUE], [doorbell.message()])
    except (redis.RedisError, TimeoutError, OSError) as error:
        log.warning("no worker could be rung, but one finds the jobs within a second: %s", type(error).__name__)


@asynccontextmanager
async def open_service() -> AsyncIterator[Service]:
    """Open everything; on the way out the log is written to the last row."""
    async with AsyncConnectionPool(
        settings.DATABASE_URL,
        min_size=1,
        max_size=settings.ENVIRONMENT.database_pool_size,
        timeout=10,
        kwargs={"autocommit": True, "prepare_threshold": settings.DATABASE_PREPARE_THRESHOLD},
        check=_still_open,
        open=False,
    ) as database:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, max_connections=10_000, retry=Retry(NoBackoff(), 1)
        )
        streams = StreamReader(client)
        scripts = Scripts(client)
        limiter = Limiter(scripts)
        try:
            async with RequestLogWriter(database) as log:
                yield Service(
                    database,
                    client,
                    streams,
                    Ends(database),
                    Workers(client),
                    KeyCache(database),
                    limiter,
                    Solvency(database),
                    Admissions(database, partial(ring_through, scripts)),
                    log,
                    Pronunciations(database),
                )
        finally:
            await streams.aclose()
            await limiter.drain()
            await scripts.aclose()
            await client.aclose()
