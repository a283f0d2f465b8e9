"""Repairs what crashed parts left: jobs past their deadline, of lost workers, and those whose message is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
from django.db.models import Q
from django.db.utils import OperationalError
from django.utils import timezone

from inference.failures import place_of
from inference.jobs.ending import MAX_ATTEMPTS, Cause, State, end, expire, put_back
from inference.models import SynthesisJob

log = logging.getLogger(__name__)

RESEND_AFTER_SECONDS = 2


def sweep(*, queue_is_empty: bool, published: Callable[[UUID], int]) -> list[UUID]:
    """Repair what crashed parts left; safe to run anywhere, any number of times at once.

    Args:
        published: the frames of a job that its stream still shows, which is more than its worker's last heartbeat
            told when the worker was lost.

    Returns:
        The jobs to ring for: those whose worker let its lease lapse, and those that wait though the broker's
        queue is empty, whose message must be lost.
    """
    now = timezone.now()
    for job in SynthesisJob.objects.filter(state__in=[State.QUEUED, State.RUNNING], deadline_at__lt=now):
        with _apart(job.id):
            expire(job.id, frames=published(job.id))
    lapsed = Q(state=State.RUNNING, lease_expires_at__lt=now)
    for job in SynthesisJob.objects.filter(lapsed, attempt__gte=MAX_ATTEMPTS):
        with _apart(job.id):
            end(
                SynthesisJob.objects.filter(lapsed, id=job.id),
                job.id,
                State.FAILED,
                frames=published(job.id),
                error_code=Cause.WORKER_LOST,
            )
    unwanted = lapsed & Q(cancel_requested_at__isnull=False)
    for job in SynthesisJob.objects.filter(unwanted):
        with _apart(job.id):
            its = SynthesisJob.objects.filter(unwanted, id=job.id)
            end(its, job.id, State.CANCELLED, frames=published(job.id))
    lost = SynthesisJob.objects.filter(lapsed, attempt__lt=MAX_ATTEMPTS, cancel_requested_at=None)
    to_send = [id for id in _ids(lost) if put_back(lost.filter(id=id), Cause.WORKER_LOST)]
    if queue_is_empty:
        resend_before = now - timedelta(seconds=RESEND_AFTER_SECONDS)
        unsent = SynthesisJob.objects.filter(state=State.QUEUED, enqueued_at__lt=resend_before)
        to_send += [id for id in _ids(unsent) if unsent.filter(id=id).update(enqueued_at=now)]
    return to_send


@contextmanager
def _apart(job_id: UUID) -> Iterator[None]:
    """Let a job that cannot be ended hold up no other. The database's and Redis' absence concerns all."""
    try:
        yield
    except (OperationalError, redis.RedisError):
        raise
    except Exception as error:
        log.error("job %s cannot be ended\n%s", job_id, place_of(error))


def _ids(matching: Any) -> list[UUID]:
    return list(matching.values_list("id", flat=True))
