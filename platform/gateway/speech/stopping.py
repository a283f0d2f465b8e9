"""Stopping a job whose answer nobody takes, and learning what is billed of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID

from django.conf import settings

from gateway import database_threads
from gateway.service import Service
from gateway.speech import relay
from gateway.speech.relay import Finished
from inference import cancellations, jobs
from inference.results import Result

PATIENCE_SECONDS = 5.0
"""How long the log waits to learn what a job that was cut off had come to."""


async def cancel(service: Service, job_id: UUID) -> bool:
    """Stop a job that is not done; False for one that is."""
    cancelled = await database_threads.run(jobs.cancel, job_id)
    if cancelled:
        await cancellations.announce(service.redis, job_id)
    return cancelled


async def abandon(service: Service, job_id: UUID) -> bool:
    """Stop a job that its last listener has left; False where somebody listens."""
    abandoned = await database_threads.run(jobs.abandon, job_id)
    if abandoned:
        await cancellations.announce(service.redis, job_id)
    return abandoned


async def end_of(service: Service, job_id: UUID) -> Result | None:
    """How a job ends that is stopped; None where that takes too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for event in relay.listen(service, job_id, deadline_seconds=settings.REQUEST_DEADLINE_SECONDS):
                if isinstance(event, Finished):
                    return event.result
    return None
