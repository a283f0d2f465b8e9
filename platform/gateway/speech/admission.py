"""Letting a job in: money held and the job written in one transaction, then the workers rung."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import kombu.exceptions
import psycopg
from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from accounts.identifiers import new_id
from accounts.keys import Principal
from billing import pricing, reservations
from gateway import catalog
from gateway.errors import account_suspended, out_of_budget, out_of_credit
from gateway.service import Service
from gateway.speech import idempotency
from gateway.speech.idempotency import Ask
from gateway.speech.speech_request import SpeechOrder
from inference import doorbell, jobs
from inference.delivery import generation_seconds

log = logging.getLogger(__name__)

HOLD_MARGIN = timedelta(minutes=5)
"""How long after its job's last deadline a hold waits for the end, which a sweeper reports by then."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A job that is paid for up to its cap and on its way; `replayed`: an earlier request's, at no cost."""

    job_id: UUID
    replayed: bool = False


async def admit(
    service: Service,
    principal: Principal,
    order: SpeechOrder,
    ask: Ask,
    *,
    streamed: bool,
    deadline_seconds: float | None = None,
) -> Admitted:
    """A job for the request, or the one that it had before. `streamed`: its audio leaves as it is made.

    Args:
        deadline_seconds: how long it may wait for its first audio; `REQUEST_DEADLINE_SECONDS` by default.

    Raises:
        ApiError: 503 where no worker lives, 429 where the credit or a budget does not cover the cap or the
            organization is suspended, 422 for a key of another request's.
    """
    if (job_id := await idempotency.find(service.database, principal, ask)) is not None:
        return Admitted(job_id, replayed=True)
    await service.workers.require()
    job = jobs.NewJob(
        id=new_id(),
        organization_id=principal.organization_id,
        api_key_id=principal.key_id,
        **order.spec(),
        streamed=streamed,
        context=tuple(turn.job_id for turn in order.context),
        deadline_seconds=deadline_seconds or settings.REQUEST_DEADLINE_SECONDS,
        idempotency_key=ask.key,
        fingerprint=ask.fingerprint,
    )
    try:
        await place(service.database, job, cap_ms=order.cap_ms)
    except psycopg.errors.UniqueViolation:  # the same key at the same moment: that request has the job
        return await admit(service, principal, order, ask, streamed=streamed, deadline_seconds=deadline_seconds)
    except reservations.InsufficientCredit:
        await service.solvency.note_refusal(principal.organization_id)
        raise out_of_credit() from None
    except reservations.AccountSuspended:
        raise account_suspended() from None
    except reservations.BudgetExceeded as refusal:
        raise out_of_budget(refusal.which) from None
    except reservations.NoPrice:
        raise catalog.unknown_model(order.model) from None
    try:
        await asyncio.to_thread(doorbell.ring)
    except kombu.exceptions.OperationalError:
        log.warning("no worker could be rung for job %s; the sweeper does when Redis is back", job.id)
    return Admitted(job.id)


async def place(database: AsyncConnectionPool, job: jobs.NewJob, *, cap_ms: int, tier: str = "default") -> None:
    """Hold the job's money and write the job, in one transaction and one round trip: both or neither.

    Args:
        tier: the tier of service, by which the price book has the price (`billing.pricing.MULTIPLIERS`).

    Raises:
        InsufficientCredit, AccountSuspended, BudgetExceeded, NoPrice: it is refused; nothing was written.
        psycopg.errors.UniqueViolation: its idempotency key is taken; nothing was written.
    """
    async with (
        database.connection() as connection,
        reservations.reserve(
            connection,
            job_id=job.id,
            organization_id=job.organization_id,
            api_key_id=job.api_key_id,
            model=pricing.entry(job.model, tier=tier),
            cap_ms=cap_ms,
            lasts=timedelta(seconds=job.deadline_seconds + generation_seconds(job.max_frames)) + HOLD_MARGIN,
        ),
    ):
        await jobs.submit(connection, job)
