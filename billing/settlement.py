"""Turning finished jobs into money, each exactly once, in one statement."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from uuid import UUID

from accounts import prepared
from billing.models import Reservation, UsageRecord
from billing.reservations import void

__all__ = ["SETTLE", "ExceedsHold", "Usage", "settle", "settle_all", "void"]

log = logging.getLogger(__name__)

SETTLE = Path(__file__).with_name("settle.sql").read_text("utf-8")
"""Queries that bill the rows of `usage`, for a statement of which billing is a part."""
_SETTLE_ALL = f"""
WITH usage AS (
    SELECT *
    FROM unnest(%(job_id)s::uuid[], %(api_key_id)s::uuid[], %(model)s::text[], %(voice)s::text[],
        %(samples)s::bigint[], %(duration_ms)s::bigint[])
        AS usage (job_id, api_key_id, model, voice, samples, duration_ms)
),
{SETTLE}
SELECT job_id, record.organization_id, record.api_key_id, record.model, record.voice, record.samples,
    record.duration_ms, record.dollars_per_minute, record.cost, created_at, late
FROM record JOIN job USING (job_id)
"""  # noqa: S608 - our own SQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a job generated, as counted by the platform: 24 samples are a millisecond."""

    job_id: UUID
    api_key_id: UUID
    model: str
    voice: str
    samples: int
    duration_ms: int


class ExceedsHold(Exception):
    """The job generated more than it was admitted for. Generation stops at the cap, so this is a defect."""


def settle(usage: Usage) -> UsageRecord:
    """Bill one finished job; see `settle_all`."""
    return settle_all([usage])[usage.job_id]


def settle_all(usages: Sequence[Usage]) -> dict[UUID, UsageRecord]:
    """Bill finished jobs, of any number of organizations, and release their holds, in the caller's transaction.

    Each account is locked once, until that transaction ends. Promotional credit is spent first.

    Exactly once: a reservation becomes `posted` once, and only the statement that moved it books; a repeat returns
    the record that is there. The keys of the record and of the ledger transaction, both the job's id, enforce the
    same.

    A hold that was voided or expired meanwhile is settled all the same, since the audio was made and the ledger
    tells the truth: `late` counts it, and where its money is no longer there, the account's `overdraft` lets the
    balance pass the floor by what is missing, which is never more than that hold.

    Returns:
        The usage record of each job.

    Raises:
        ExceedsHold: a job costs more than its hold. Nothing was written for it; the caller rolls back the others.
        Reservation.DoesNotExist: a job was never admitted. The same holds.
    """
    columns = {each.name: [getattr(usage, each.name) for usage in usages] for each in fields(Usage)}
    with prepared.cursor() as cursor:
        cursor.execute(_SETTLE_ALL, columns)
        records = {record.job_id: record for record in prepared.fetch(cursor, UsageRecord)}
    for record in records.values():
        if record.late:  # type: ignore[attr-defined]  # the statement's last column
            log.warning("job %s was settled after its hold had been released", record.job_id)
    if len(records) < len(usages):
        rest = [usage for usage in usages if usage.job_id not in records]
        records |= UsageRecord.objects.in_bulk([usage.job_id for usage in rest])
        for usage in rest:
            if usage.job_id not in records:
                hold = Reservation.objects.get(job_id=usage.job_id)
                raise ExceedsHold(f"job {usage.job_id}: {usage.duration_ms} ms against ${hold.amount} held")
    return records
