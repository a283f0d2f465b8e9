"""Moving every batch on: one part at a time does it, in short rounds, for as long as there is something to do.

All state is in the database and each move is one transaction, so whichever part takes over goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import redis
from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from gateway.batches import collecting, feeding, outputs, telling, validation
from gateway.models import BackgroundRequest, BatchLine, SpeechBatch
from gateway.speech import background
from inference import cancellations, jobs, presence

State = SpeechBatch.State
ROUND_SECONDS = 5.0
POLL_SECONDS = 0.2
LOCK = 0x62617463  # "batc": the advisory lock of whoever moves batches


def run() -> bool:
    """Move all batches on for a few seconds; returns whether there is more to do."""
    if not _is_due():
        return False
    with _alone() as alone, redis.Redis.from_url(settings.REDIS_URL) as client:
        if not alone:
            return False
        until = time.monotonic() + ROUND_SECONDS
        while _step(client):
            if time.monotonic() > until:
                return True
            time.sleep(POLL_SECONDS)
        return False  # what waits for workers, for money or for live requests is looked at again by the clock


def _is_due() -> bool:
    """Whether there is anything to move."""
    active = SpeechBatch.objects.filter(ended_at=None)
    return active.exists() or BackgroundRequest.objects.filter(notified_at=None).exists()


def _step(client: redis.Redis) -> bool:
    """One look at everything; returns whether to look again soon: something changed or is being spoken."""
    active = SpeechBatch.objects.filter(ended_at=None).order_by("id")
    for batch in active.filter(state=State.VALIDATING).select_related("input_file"):
        if batch.cancelling_at is None:
            validation.validate(batch, presence.voices_of(presence.living(client)))
    background.forget_lost()
    telling.tell_of_background()
    collecting.cancel_of_revoked_keys()
    collecting.collect()
    _stop(client)
    fed = feeding.feed(client)
    _finish()
    running = BatchLine.objects.filter(state=BatchLine.State.RUNNING)
    return bool(fed) or running.exists() or BackgroundRequest.objects.filter(notified_at=None).exists()


def _stop(client: redis.Redis) -> None:
    """End what has not been spoken of batches that were cancelled, whose key was revoked, or whose time is up."""
    now = timezone.now()
    for batch in SpeechBatch.objects.filter(ended_at=None):
        if batch.cancelling_at is None and batch.expires_at > now:
            continue
        if batch.cancelling_at is not None:
            SpeechBatch.objects.filter(id=batch.id, ended_at=None).update(state=State.CANCELLING)
        # A line that a part which died had begun to admit may have a job.
        for line in batch.lines.filter(state=BatchLine.State.WAITING, job_id__isnull=False):
            if line.job_id and jobs.belongs_to(line.job_id, organization_id=batch.organization_id):
                batch.lines.filter(id=line.id).update(state=BatchLine.State.RUNNING)
        collecting.end_waiting(batch.id, collecting.reason(batch))
        for job_id in batch.lines.filter(state=BatchLine.State.RUNNING).values_list("job_id", flat=True):
            if job_id and jobs.cancel(job_id):
                cancellations.announce_from_thread(client, job_id)


def _finish() -> None:
    """End the batches of which every line has ended."""
    # Two conditions, each of which has its index: one for both states would read every line that has ended.
    waiting, running = (
        BatchLine.objects.filter(batch=OuterRef("pk"), state=state)
        for state in (BatchLine.State.WAITING, BatchLine.State.RUNNING)
    )
    ready = SpeechBatch.objects.filter(~Exists(waiting), ~Exists(running), ended_at=None)
    for batch in ready.exclude(state=State.VALIDATING, cancelling_at=None):
        if batch.cancelling_at is not None:
            outcome = State.CANCELLED
        elif batch.lines.filter(error__code=collecting.EXPIRED.code).exists():
            outcome = State.EXPIRED
        else:
            outcome = State.COMPLETED
        if outcome != State.CANCELLED:
            SpeechBatch.objects.filter(id=batch.id).update(state=State.FINALIZING, finalizing_at=timezone.now())
        outputs.finish(batch, outcome)


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other part moves batches now.

    The lock is a transaction's on a connection of its own, and goes with either, however the part ends: behind
    PgBouncer a session's would stay with a connection that others are given next.
    """
    with psycopg.connect(settings.DATABASE_URL) as connection:
        row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,)).fetchone()
        yield bool(row and row[0])
