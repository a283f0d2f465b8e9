"""Deletes jobs that ended long ago, with their assets and lost attempts. Usage records and ledger stay."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.identifiers import uuid7_floor

BATCH = 1000
"""Rows a transaction: what a purge locks at once."""

# A job's id is a UUIDv7, so the oldest come first in the primary key. The foreign keys are checked at the commit,
# so one statement can delete a job and what refers to it. A job stays as long as its audio is kept.
_DELETE = """
WITH old AS MATERIALIZED (
    SELECT id FROM inference_synthesisjob job
    WHERE id < %s AND finished_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM inference_audioasset WHERE job_id = job.id AND purged_at IS NULL)
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
), attempt AS (
    DELETE FROM inference_lostattempt USING old WHERE job_id = old.id
), asset AS (
    DELETE FROM inference_audioasset USING old WHERE job_id = old.id
)
DELETE FROM inference_synthesisjob job USING old WHERE job.id = old.id
"""


def purge_jobs() -> int:
    """Delete the ended jobs that are older than `JOB_DAYS`, batch after batch; returns how many."""
    before = uuid7_floor(timezone.now() - timedelta(days=settings.JOB_DAYS))
    purged = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DELETE, (before, BATCH))
            deleted: int = cursor.rowcount
        purged += deleted
        if deleted < BATCH:
            return purged
