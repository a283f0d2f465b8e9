"""Turning a finished job into money, exactly once, in one statement."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from billing.models import Reservation, UsageRecord
from billing.reservations import void

__all__ = ["ExceedsHold", "Usage", "settle", "void"]

log = logging.getLogger(__name__)

_SETTLE = Path(__file__).with_name("settle.sql").read_text("utf-8")


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
    """Bill a finished job and release its hold, in the caller's transaction. Promotional credit is spent first.

    Exactly once: the reservation becomes `posted` once, and only the statement that moved it books; a repeat
    returns the record that is there. The keys of the record and of the ledger transaction, both the job's id,
    say the same.

    A hold that was voided or expired meanwhile is settled all the same, since the audio was made and the ledger
    tells the truth: `late` counts it, and where its money is no longer there, the account's `overdraft` lets the
    balance pass the floor by what is missing, which is never more than that hold.

    Raises:
        ExceedsHold: the cost is above the hold. Nothing was written.
        Reservation.DoesNotExist: no such job was admitted.
    """
    for record in UsageRecord.objects.raw(_SETTLE, asdict(usage)):
        if record.late:  # type: ignore[attr-defined]  # the statement's last column
            log.warning("job %s was settled after its hold had been released", usage.job_id)
        return record
    try:
        return UsageRecord.objects.get(job_id=usage.job_id)
    except UsageRecord.DoesNotExist:
        hold = Reservation.objects.get(job_id=usage.job_id)
        raise ExceedsHold(f"job {usage.job_id}: {usage.duration_ms} ms against ${hold.amount} held") from None
