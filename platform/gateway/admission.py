"""Letting a job in: money held and the job written in one transaction, then its id in the queue."""

from __future__ import annotations

import asyncio
import logging
import time
from uuid import UUID

import kombu.exceptions
from django.conf import settings

from accounts.identifiers import new_id
from accounts.keys import Principal
from billing import reservations
from gateway import catalog
from gateway.errors import out_of_credit, unavailable
from gateway.service import Service
from gateway.speech_request import SpeechOrder
from inference import jobs, presence, tasks

log = logging.getLogger(__name__)

PRESENCE_SECONDS = 0.5
_workers_seen_at = float("-inf")


async def admit(service: Service, principal: Principal, order: SpeechOrder) -> UUID:
    """The id of a job that is paid for up to its cap and on its way to a worker.

    Raises:
        ApiError: 503 where no worker lives, 429 where the credit does not cover the cap.
    """
    await _require_worker(service)
    job = jobs.NewJob(
        id=new_id(),
        organization_id=principal.organization_id,
        api_key_id=principal.key_id,
        model=order.model,
        voice=order.voice,
        format=order.format,
        text=order.text,
        style=order.style,
        max_frames=order.max_frames,
        deadline_seconds=settings.REQUEST_DEADLINE_SECONDS,
        sampling=order.sampling,
    )
    try:
        async with service.database.connection() as connection, connection.transaction():
            await reservations.reserve(
                connection,
                job_id=job.id,
                organization_id=job.organization_id,
                model=job.model,
                cap_ms=order.cap_ms,
            )
            await jobs.submit(connection, job)
    except reservations.InsufficientCredit:
        raise out_of_credit() from None
    except reservations.NoPrice:
        raise catalog.unknown_model(order.model) from None
    try:
        await asyncio.to_thread(tasks.enqueue, job.id)
    except kombu.exceptions.OperationalError:
        log.warning("job %s could not be enqueued; the sweeper sends it when Redis is back", job.id)
    return job.id


async def _require_worker(service: Service) -> None:
    """Refuse at once what nobody would speak; a worker that was seen is believed for half a second."""
    global _workers_seen_at
    if time.monotonic() - _workers_seen_at < PRESENCE_SECONDS:
        return
    if not await presence.workers(service.redis):
        raise unavailable(
            "No worker is ready to speak right now. Please try again shortly.",
            code="no_worker",
            retry_after_seconds=2,
        )
    _workers_seen_at = time.monotonic()
