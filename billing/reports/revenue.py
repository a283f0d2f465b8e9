"""Revenue, recognised when the audio is generated and billed, however and whenever it is paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from billing.models import LedgerEntry
from billing.reports.report import Report, booked, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """A day (UTC) of an organization's use of a model. A correction counts on the day that it was booked."""

    day: date
    organization_id: UUID
    organization: str
    model: str
    requests: int
    duration_ms: int
    amount: Decimal


_REVENUE = """
WITH part AS (
    SELECT record.created_at, record.organization_id, model, 1 AS requests, duration_ms, cost AS amount
    FROM billing_account account
    CROSS JOIN LATERAL (
        SELECT * FROM billing_usagerecord record
        WHERE record.organization_id = account.organization_id
            AND record.created_at >= %(start)s AND record.created_at < %(end)s
    ) AS record
    UNION ALL
    SELECT movement.created_at, movement.organization_id, model, 0, 0, amount
    FROM billing_ledgertransaction movement
    JOIN billing_ledgerentry ON transaction_id = movement.id AND account = 'revenue'
    JOIN billing_usagerecord ON job_id = corrects_id
    WHERE kind = 'correction' AND movement.created_at >= %(start)s AND movement.created_at < %(end)s
)
SELECT (part.created_at AT TIME ZONE 'UTC')::date AS day, organization_id, name, model,
    sum(requests), sum(duration_ms)::bigint, sum(amount)
FROM part JOIN accounts_organization organization ON organization.id = organization_id
GROUP BY day, organization_id, name, model ORDER BY day, name, organization_id, model
"""


def by_day(*, start: datetime, end: datetime) -> Report[Revenue]:
    """Revenue from `start` up to, and without, `end`, by day, organization and model."""
    rows = [
        Revenue(
            day=day,
            organization_id=organization_id,
            organization=name,
            model=model,
            requests=requests,
            duration_ms=duration_ms,
            amount=amount,
        )
        for day, organization_id, name, model, requests, duration_ms, amount in query(
            _REVENUE, {"start": start, "end": end}
        )
    ]
    total = sum((row.amount for row in rows), Decimal(0))
    return Report(rows, total, booked(LedgerEntry.Name.REVENUE, start=start, end=end))
