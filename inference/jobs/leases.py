"""How a worker keeps its jobs: one lease for all of them, which its heartbeat renews."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from inference import delivery
from inference.audio import SAMPLES_PER_FRAME
from inference.jobs.ending import State
from inference.models import SynthesisJob, Worker

FORGET_AFTER = timedelta(minutes=1)
"""How long a lapsed worker's row stays: longer than any claim takes that found the lease alive."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that a worker speaks, and the frames of it that the worker has published so far."""

    id: UUID
    attempt: int
    frames: int
    max_frames: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database says of a worker's jobs, each by id and attempt."""

    wanted: set[tuple[UUID, int]]
    """Those that are its own and that nobody has cancelled."""
    unknown: set[tuple[UUID, int]]
    """Those that name it although it did not name them: claimed a moment ago, or claimed by a statement whose
    answer was lost."""


def heartbeat(*, worker: UUID, name: str, held: Iterable[Held]) -> Kept:
    """Renew the lease of a worker and keep how much it has published of each of its jobs, in one row."""
    jobs = list(held)
    published: dict[str, int] = {}
    for job in jobs:
        if job.frames:  # a job that was taken back may be held by two attempts for a moment
            published[str(job.id)] = max(published.get(str(job.id), 0), job.frames * SAMPLES_PER_FRAME)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inference_worker AS worker (id, name, lease_expires_at, published)
            VALUES (%s, %s, now() + make_interval(secs => %s), %s::jsonb)
            ON CONFLICT (id) DO UPDATE
            SET lease_expires_at = excluded.lease_expires_at, published = excluded.published
            """,
            (worker, name, settings.JOB_LEASE_SECONDS, json.dumps(published)),
        )
    own = SynthesisJob.objects.filter(state=State.RUNNING, worker_id=worker)
    rows = list(own.values_list("id", "attempt", "cancel_requested_at"))
    told = {(job.id, job.attempt) for job in jobs}
    return Kept(
        wanted={(id, attempt) for id, attempt, cancelled_at in rows if cancelled_at is None} & told,
        unknown={(id, attempt) for id, attempt, _ in rows} - told,
    )


def first_audio(held: Iterable[Held]) -> None:
    """Give jobs whose first audio is there the deadline by which their last must be; each attempt says it once.

    The deadline so far was for the first audio. An attempt that goes on from earlier audio changes nothing.

    Rows are locked in the order of their ids, as `finish.sql` locks them, so that the two cannot deadlock.
    """
    jobs = list(held)
    if not jobs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (
                SELECT *
                FROM unnest(%s::uuid[], %s::int[], %s::bigint[], %s::float[])
                    AS held (id, attempt, samples, seconds)
            ), ours AS MATERIALIZED (
                SELECT id FROM inference_synthesisjob WHERE id IN (SELECT id FROM held)
                ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE inference_synthesisjob job
            SET published_samples = held.samples, deadline_at = now() + make_interval(secs => seconds)
            FROM ours JOIN held USING (id)
            WHERE job.id = ours.id AND job.attempt = held.attempt AND state = 'running' AND published_samples = 0
                AND cancel_requested_at IS NULL
            """,
            (
                [job.id for job in jobs],
                [job.attempt for job in jobs],
                [job.frames * SAMPLES_PER_FRAME for job in jobs],
                [delivery.generation_seconds(job.max_frames) + delivery.SWEEP_SECONDS for job in jobs],
            ),
        )


def lapsed() -> Q:
    """The jobs whose worker let its lease lapse."""
    gone = Worker.objects.filter(id=OuterRef("worker_id"), lease_expires_at__lt=Now())
    return Q(Exists(gone), state=State.RUNNING)


def of_lapsed_workers() -> list[tuple[UUID, int]]:
    """The jobs, with their attempts, of workers whose lease has lapsed; read from the workers, which are few."""
    gone = list(Worker.objects.filter(lease_expires_at__lt=Now()).values_list("id", flat=True))
    if not gone:
        return []
    left = SynthesisJob.objects.filter(state=State.RUNNING, worker_id__in=gone)
    return list(left.values_list("id", "attempt"))


def forget_lapsed_workers() -> None:
    """Delete the rows of workers that lapsed a while ago and have left no job."""
    running = SynthesisJob.objects.filter(state=State.RUNNING, worker_id=OuterRef("id"))
    Worker.objects.filter(~Exists(running), lease_expires_at__lt=Now() - FORGET_AFTER).delete()
