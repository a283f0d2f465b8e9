"""Turning a finished job into money, exactly once, in one statement."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from uuid import UUID

from billing.models import Reservation, UsageRecord
from billing.reservations import void

__all__ = ["ExceedsHold", "Usage", "settle", "void"]

log = logging.getLogger(__name__)

_SETTLE = """
WITH hold AS (
    SELECT job_id, reservation.organization_id, amount, budgets, state <> 'pending' AS late,
        CASE state WHEN 'pending' THEN amount ELSE 0 END AS held,
        dollars_per_minute, billing_cost(%(duration_ms)s, dollars_per_minute) AS cost
    FROM billing_reservation reservation JOIN billing_price price ON price.id = price_id
    WHERE job_id = %(job_id)s AND state <> 'posted'
    FOR UPDATE OF reservation
), before AS (
    SELECT account.organization_id, LEAST(promotional, cost) AS given,
        (account.held - hold.held) - (balance - cost) - credit_limit AS missing
    FROM billing_account account JOIN hold USING (organization_id) WHERE cost <= amount
    FOR UPDATE OF account
), account AS (
    UPDATE billing_account SET
        balance = balance - cost,
        promotional = promotional - given,
        held = billing_account.held - hold.held,
        overdraft = CASE WHEN late
            THEN GREATEST(overdraft, missing) ELSE GREATEST(0, LEAST(overdraft, missing)) END
    FROM hold, before WHERE billing_account.organization_id = before.organization_id
    RETURNING given, GREATEST(clock_timestamp(), invoiced_until) AS booked_at
), posted AS (
    UPDATE billing_reservation SET state = 'posted', late = hold.late
    FROM hold, account WHERE billing_reservation.job_id = hold.job_id
), period AS (
    UPDATE billing_budgetperiod SET held = billing_budgetperiod.held - hold.held, spent = spent + cost
    FROM hold, account WHERE id = ANY (budgets)
), movement AS (
    INSERT INTO billing_ledgertransaction (id, kind, cause, organization_id, created_at)
    SELECT job_id, 'usage', job_id::text, organization_id, booked_at FROM hold, account WHERE cost > 0
), legs AS (
    INSERT INTO billing_ledgerentry (transaction_id, account, amount)
    SELECT job_id, leg.account, leg.amount FROM hold, account, LATERAL (VALUES
        ('promotional_credit', -given), ('customer_credit', given - cost), ('revenue', cost)
    ) AS leg (account, amount) WHERE leg.amount <> 0
), record AS (
    INSERT INTO billing_usagerecord (job_id, organization_id, api_key_id, model, voice, samples, duration_ms,
        dollars_per_minute, cost, created_at)
    SELECT job_id, organization_id, %(api_key_id)s, %(model)s, %(voice)s, %(samples)s, %(duration_ms)s,
        dollars_per_minute, cost, booked_at
    FROM hold, account
    RETURNING *
)
SELECT record.*, late FROM record, hold
"""
# The two FOR UPDATE wait for whoever else moves this job or this account, and then see what it left: so `given`
# is taken from the promotional credit that is there, and a job that was posted meanwhile is gone from `hold`.
# `booked_at` is read with the account locked and lies in no month that is closed: closing one locks the account
# too, so what is settled after that belongs to the next month, and what an invoice sums up is complete.


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
