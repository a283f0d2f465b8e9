"""Movements of one account of the ledger, by day, organization and kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from billing.models import LedgerEntry, LedgerTransaction
from billing.reports.report import Report, booked, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A day (UTC) of an organization. A correction counts as what it corrects, on the day that it was booked."""

    day: date
    organization_id: UUID
    organization: str
    kind: str
    movements: int
    amount: Decimal


_MOVED = """
SELECT (movement.created_at AT TIME ZONE 'UTC')::date AS day, movement.organization_id, name,
    coalesce(wrong.kind, movement.kind) AS of_kind, count(*), sum(amount)
FROM billing_ledgertransaction movement
JOIN billing_ledgerentry ON transaction_id = movement.id
JOIN accounts_organization organization ON organization.id = movement.organization_id
LEFT JOIN billing_ledgertransaction wrong ON wrong.id = movement.corrects_id
WHERE movement.kind <> 'usage' AND account = %(account)s
    AND movement.created_at >= %(start)s AND movement.created_at < %(end)s
    AND (%(kind)s::text IS NULL OR coalesce(wrong.kind, movement.kind) = %(kind)s)
GROUP BY day, movement.organization_id, name, of_kind ORDER BY day, name, movement.organization_id, of_kind
"""


def top_ups(*, start: datetime, end: datetime) -> Report[Moved]:
    """Paid credit that was bought."""
    return _moved(LedgerEntry.Name.CASH, -1, start, end, LedgerTransaction.Kind.TOP_UP)


def cash(*, start: datetime, end: datetime) -> Report[Moved]:
    """Money that came in (above zero) and went out, whatever for."""
    return _moved(LedgerEntry.Name.CASH, -1, start, end)


def refunds(*, start: datetime, end: datetime) -> Report[Moved]:
    """Revenue that was given back: refunds as credit, and credit notes without their tax."""
    return _moved(LedgerEntry.Name.REFUNDS, -1, start, end)


def promotional_cost(*, start: datetime, end: datetime) -> Report[Moved]:
    """Credit that was given (above zero), less what of it expired unused."""
    return _moved(LedgerEntry.Name.PROMOTIONAL_EXPENSE, -1, start, end)


def tax(*, start: datetime, end: datetime) -> Report[Moved]:
    """Tax that was invoiced (above zero), less what credit notes and voided invoices took back."""
    return _moved(LedgerEntry.Name.TAX_PAYABLE, 1, start, end)


def _moved(
    account: LedgerEntry.Name, sign: int, start: datetime, end: datetime, kind: str | None = None
) -> Report[Moved]:
    rows = [
        Moved(
            day=day,
            organization_id=organization_id,
            organization=name,
            kind=of_kind,
            movements=count,
            amount=sign * amount,
        )
        for day, organization_id, name, of_kind, count, amount in query(
            _MOVED, {"account": account.value, "start": start, "end": end, "kind": kind}
        )
    ]
    total = sum((row.amount for row in rows), Decimal(0))
    return Report(rows, total, sign * booked(account, start=start, end=end, kind=kind))
