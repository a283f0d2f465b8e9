"""How a job ends without success, or an attempt: a conditional UPDATE each, whose row count says who won.

`finishing` ends those that succeed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from accounts.ports import Port
from inference import delivery, results
from inference.audio import SAMPLES_PER_FRAME
from inference.models import LostAttempt, SynthesisJob
from inference.results import Result

MAX_ATTEMPTS = 3

State = SynthesisJob.State
Cause = LostAttempt.Cause


class HoldRefused(Exception):
    """A job's hold cannot be raised, so that the job must end; `code` says why, as its `error_code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


holding = Port[[UUID, int], int]("raises the hold of a job")
"""Raises a job's hold, in the caller's transaction, until it covers so many frames, or as many as there is money
for; returns how many it covers. Raises HoldRefused."""
settlement = Port[[SynthesisJob], dict[str, Any]]("settles ended jobs")
"""Bills a job, in the transaction that ends it; returns what the job's answer says of its bill. Of a good end it
is a part of the statement (`finishing.settling`)."""


def give_back(job_id: UUID, attempt: int, *, frames: int) -> bool:
    """End an attempt that broke after it had published `frames`: back to the queue, or failed if it was the last.

    Returns:
        True if it is back in the queue.
    """
    if attempt >= MAX_ATTEMPTS:
        end(_owned(job_id, attempt), job_id, State.FAILED, frames=frames, error_code=Cause.ENGINE_ERROR)
        return False
    wanted = _owned(job_id, attempt).filter(cancel_requested_at=None)
    if put_back(wanted, Cause.ENGINE_ERROR, frames=frames):
        return True
    cut(job_id, attempt, frames=frames)
    return False


def hand_over(job_id: UUID, attempt: int, *, frames: int) -> bool:
    """Put back a job whose worker is stopped after it had published `frames`, for another to go on with.

    That is nobody's fault, so there may be any number of such attempts until the job's deadline.

    Returns:
        True if it is back in the queue; False where it is no longer this attempt's, or was cancelled.
    """
    wanted = _owned(job_id, attempt).filter(cancel_requested_at=None)
    return put_back(wanted, Cause.WORKER_STOPPED, frames=frames)


def fail(job_id: UUID, attempt: int, *, error_code: str, frames: int = 0) -> Result | None:
    """End a job that cannot be spoken, or no further, after it had published `frames`.

    Returns:
        How it ended; None where the job is no longer this attempt's.
    """
    return end(_owned(job_id, attempt), job_id, State.FAILED, frames=frames, error_code=error_code)


@transaction.atomic
def raise_hold(job_id: UUID, attempt: int, *, frames: int) -> int | None:
    """Have a job's hold cover `frames`, or as many as there is money for.

    Returns:
        How many it covers; None where the job is no longer this attempt's.

    Raises:
        HoldRefused: it covers no more than before.
    """
    its = _owned(job_id, attempt)
    if not its.select_for_update(no_key=True).exists():
        return None
    covered = holding(job_id, frames)
    its.update(held_frames=covered)
    return covered


def expire(job_id: UUID, *, frames: int = 0) -> bool:
    """End a job that missed its deadline after `frames` were published, which are billed. False if it has not."""
    late = _live(job_id).filter(deadline_at__lt=timezone.now())
    return end(late, job_id, State.EXPIRED, frames=frames) is not None


@transaction.atomic
def cancel(job_id: UUID) -> bool:
    """Stop a job that nobody wants: a queued one ends now, a running one when its worker has noticed and `cut` it.

    Returns:
        False where it has ended or was cancelled before.
    """
    wanted = _live(job_id).filter(cancel_requested_at=None)
    job = wanted.select_for_update().first()
    if job is None:
        return False
    if job.state == State.QUEUED:
        end(wanted, job_id, State.CANCELLED)
    else:
        wanted.update(cancel_requested_at=timezone.now())
    return True


@transaction.atomic
def requeue(job_id: UUID) -> bool:
    """Take a job from its worker, or, where it waits, say that the workers are to be rung for it again.

    A worker that still speaks it notices at its next heartbeat; the next attempt goes on from what it had spoken.

    Returns:
        Whether to `doorbell.ring`; False where it has ended, is cancelled, or its time is up.
    """
    wanted = _live(job_id).filter(cancel_requested_at=None, deadline_at__gt=timezone.now())
    running, queued = wanted.filter(state=State.RUNNING), wanted.filter(state=State.QUEUED)
    return put_back(running, Cause.TAKEN_BACK) or bool(queued.update(enqueued_at=timezone.now()))


def leave(job_id: UUID, *, relayed_frames: int) -> None:
    """A listener that had received `relayed_frames` hung up. `abandon` the job unless another one joins."""
    relayed = Greatest(Coalesce("relayed_samples", 0), Value(relayed_frames * SAMPLES_PER_FRAME))
    _live(job_id).filter(listeners__gt=0).update(listeners=F("listeners") - 1, relayed_samples=relayed)


def abandon(job_id: UUID) -> bool:
    """Cancel the job if it has no listener; returns whether it had none."""
    return _live(job_id).filter(listeners=0).exists() and cancel(job_id)


def is_left(job_id: UUID, attempt: int) -> bool:
    """Whether this attempt still runs although the job has no listener."""
    return bool(_owned(job_id, attempt).filter(listeners=0, cancel_requested_at=None).exists())


def cut(job_id: UUID, attempt: int, *, frames: int) -> Result | None:
    """End a job of this attempt's that was cancelled, or that nobody listens to, after it had published `frames`.

    Returns:
        How it ended; None where the job is no longer this attempt's, or is still wanted.
    """
    unwanted = _owned(job_id, attempt).filter(Q(cancel_requested_at__isnull=False) | Q(listeners=0))
    return end(unwanted, job_id, State.CANCELLED, frames=frames)


def _owned(job_id: UUID, attempt: int) -> Any:
    return SynthesisJob.objects.filter(id=job_id, attempt=attempt, state=State.RUNNING)


def _live(job_id: UUID) -> Any:
    return SynthesisJob.objects.filter(id=job_id, state__in=[State.QUEUED, State.RUNNING])


@transaction.atomic
def put_back(matching: Any, cause: LostAttempt.Cause, *, frames: int = 0) -> bool:
    """Put a running job back, if it matches, and keep what became of the attempt."""
    job = matching.select_for_update().first()
    if job is None:
        return False
    now = timezone.now()
    job.lost_attempts.create(attempt=job.attempt, cause=cause, started_at=job.started_at, lost_at=now)
    matching.update(
        state=State.QUEUED,
        enqueued_at=now,
        published_samples=delivery.published(frames),
    )
    return True


def _ended(state: SynthesisJob.State) -> dict[str, Any]:
    """What becomes of a job that leaves no audio: neither its text nor the hash of its request is of use."""
    return {
        "state": state,
        "finished_at": timezone.now(),
        "text": "",
        "style": "",
        "recordings": [],
        "recorded_texts": [],
        "fingerprint": None,
    }


@transaction.atomic
def end(
    matching: Any, job_id: UUID, state: SynthesisJob.State, *, frames: int = 0, **values: Any
) -> Result | None:
    """End the job without success if it matches, billed by what was delivered; None where it does not."""
    counts = {"samples": delivery.delivered(frames), "published_samples": delivery.published(frames)}
    if not matching.update(**_ended(state), **counts, **values):
        return None
    job = SynthesisJob.objects.get(id=job_id)
    job.receipt = settlement(job)
    job.save(update_fields=["receipt"])
    return results.of(job)
