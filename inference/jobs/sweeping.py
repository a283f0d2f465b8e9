"""Repairs what crashed parts left: jobs past their deadline, and jobs of lost workers.

A lost message needs no repair: workers with a free slot look for work at every heartbeat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import redis
from django.db.models import Q
from django.db.models.functions import Now
from django.db.utils import OperationalError

from inference.failures import place_of
from inference.jobs import leases
from inference.jobs.ending import MAX_ATTEMPTS, Cause, State, end, expire, put_back
from inference.models import SynthesisJob

log = logging.getLogger(__name__)


def sweep(*, published: Callable[[UUID], int]) -> list[UUID]:
    """Repair what crashed parts left; safe to run anywhere, any number of times at once.

    Args:
        published: the frames of a job that its stream still shows, which is more than its worker's last heartbeat
            told when the worker was lost.

    Returns:
        The jobs to ring for: those whose worker let its lease lapse.
    """
    for id in _ids(SynthesisJob.objects.filter(state__in=[State.QUEUED, State.RUNNING], deadline_at__lt=Now())):
        with _apart(id):
            expire(id, frames=published(id))
    put_back_again = []
    for job_id, attempt in leases.of_lapsed_workers():
        with _apart(job_id):
            if take_back(leases.lapsed(), job_id, attempt, published=published):
                put_back_again.append(job_id)
    leases.forget_lapsed_workers()
    return put_back_again


def take_back(which: Q, job_id: UUID, attempt: int, *, published: Callable[[UUID], int]) -> bool:
    """Take a running job from an attempt whose worker is lost, if `which` is still true of it.

    It goes back to the queue, unless somebody has cancelled it or that was its last attempt.

    Returns:
        True if it is back in the queue.
    """
    its = SynthesisJob.objects.filter(which, id=job_id, attempt=attempt, state=State.RUNNING)
    if attempt >= MAX_ATTEMPTS:
        end(its, job_id, State.FAILED, frames=published(job_id), error_code=Cause.WORKER_LOST)
        return False
    if put_back(its.filter(cancel_requested_at=None), Cause.WORKER_LOST):
        return True
    unwanted = its.filter(cancel_requested_at__isnull=False)
    end(unwanted, job_id, State.CANCELLED, frames=published(job_id))
    return False


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
