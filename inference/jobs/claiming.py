"""How a worker takes a job, and keeps it: a lease that its heartbeat extends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection

from inference import delivery
from inference.audio import SAMPLES_PER_FRAME
from inference.models import SynthesisJob

_CLAIM = """
WITH RECURSIVE waiting AS (
    (SELECT organization_id FROM inference_synthesisjob WHERE state = 'queued' ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT organization_id FROM inference_synthesisjob
        WHERE state = 'queued' AND organization_id > waiting.organization_id ORDER BY organization_id LIMIT 1
    )
    FROM waiting WHERE organization_id IS NOT NULL
), turn AS MATERIALIZED (
    SELECT organization_id
    FROM waiting, LATERAL (
        SELECT
            (SELECT count(*) FROM inference_synthesisjob
             WHERE state = 'running' AND organization_id = waiting.organization_id) AS running,
            (SELECT min(created_at) FROM inference_synthesisjob
             WHERE state = 'queued' AND organization_id = waiting.organization_id) AS asked_at,
            (SELECT max(started_at) FROM inference_synthesisjob
             WHERE organization_id = waiting.organization_id) AS served_at
    ) AS share
    WHERE organization_id IS NOT NULL
    ORDER BY running, greatest(asked_at, served_at)
), chosen AS MATERIALIZED (
    SELECT oldest.id
    FROM turn, LATERAL (
        SELECT id FROM inference_synthesisjob
        WHERE state = 'queued' AND organization_id = turn.organization_id
            AND cancel_requested_at IS NULL AND deadline_at > now()
        ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS oldest
    LIMIT 1
)
UPDATE inference_synthesisjob job
SET state = 'running', attempt = attempt + 1, started_at = now(),
    lease_expires_at = now() + make_interval(secs => %s)
FROM chosen WHERE job.id = chosen.id
RETURNING job.*
"""
"""`waiting` steps from organization to organization, so that a long queue of one costs what a short one does."""


def claim() -> SynthesisJob | None:
    """Take the job whose turn it is for this worker; None where nothing waits.

    The turn is that of the organization with the fewest running jobs. Among equals it is that of the one that has
    waited longest, since it asked or was served last. Each organization's own jobs go first come, first served.
    """
    return next(iter(SynthesisJob.objects.raw(_CLAIM, (settings.JOB_LEASE_SECONDS,))), None)


@dataclass(frozen=True, slots=True)
class Held:
    """A job that a worker speaks, and the frames of it that the worker has published so far."""

    id: UUID
    attempt: int
    frames: int
    max_frames: int


def heartbeat(held: Iterable[Held]) -> set[tuple[UUID, int]]:
    """Extend the leases of the jobs and keep how much of them is published.

    With its first audio a job has kept its deadline, and gets another, by which its last must be there.

    Returns:
        The jobs, with their attempts, that are still theirs and still wanted.
    """
    jobs = sorted(held, key=lambda job: job.id)  # in the order in which `finish` locks them
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inference_synthesisjob job
            SET lease_expires_at = now() + make_interval(secs => %s),
                published_samples = GREATEST(published_samples, held.samples),
                deadline_at = CASE WHEN published_samples = 0 AND held.samples > 0
                    THEN now() + make_interval(secs => seconds) ELSE deadline_at END
            FROM unnest(%s::uuid[], %s::int[], %s::bigint[], %s::float[]) AS held (id, attempt, samples, seconds)
            WHERE job.id = held.id AND job.attempt = held.attempt AND state = 'running'
                AND cancel_requested_at IS NULL
            RETURNING job.id, job.attempt
            """,
            (
                settings.JOB_LEASE_SECONDS,
                [job.id for job in jobs],
                [job.attempt for job in jobs],
                [job.frames * SAMPLES_PER_FRAME for job in jobs],
                [delivery.generation_seconds(job.max_frames) + delivery.SWEEP_SECONDS for job in jobs],
            ),
        )
        return set(cursor.fetchall())
