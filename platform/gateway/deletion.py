"""Deleting what a finished job left, wherever it is, before the client is told so."""

from __future__ import annotations

from uuid import UUID

from gateway import database_threads
from gateway.service import Service
from inference import assets, channel


async def purge(service: Service, job_id: UUID) -> None:
    """Delete a job's audio in every format, its codes and its transcript, in the store, the database and Redis.

    Raises:
        redis.RedisError: Redis is away, and what it holds for some seconds yet is not gone; the rest is.
    """
    await database_threads.run(assets.purge, job_id)
    await channel.delete(service.redis, job_id)
