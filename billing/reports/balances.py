"""What customers have with us, and what they owe us, at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from billing.models import LedgerEntry
from billing.reports.report import Report, booked, query


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """An organization's credit. `paid` is deferred revenue, a liability; `unbilled` was used on top of it."""

    organization_id: UUID
    organization: str
    paid: Decimal
    unbilled: Decimal
    promotional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivable:
    """What is left to pay of an invoice; `age` is by the days since it was due."""

    organization_id: UUID
    organization: str
    invoice: str
    due_at: datetime
    age: str
    amount: Decimal


_CREDIT = """
SELECT organization_id, name,
    coalesce(sum(amount) FILTER (WHERE account = 'customer_credit'), 0) AS paid,
    coalesce(sum(amount) FILTER (WHERE account = 'promotional_credit'), 0) AS promotional
FROM billing_ledgerentry
JOIN billing_ledgertransaction movement ON movement.id = transaction_id
JOIN accounts_organization organization ON organization.id = organization_id
WHERE account IN ('customer_credit', 'promotional_credit') AND movement.created_at < %(end)s
GROUP BY organization_id, name HAVING sum(amount) <> 0 ORDER BY name, organization_id
"""

_RECEIVABLE = """
SELECT organization.id, organization.name, number, due_at, -sum(amount) AS unpaid
FROM billing_ledgerentry
JOIN billing_ledgertransaction movement ON movement.id = transaction_id
JOIN billing_invoicemovement USING (transaction_id)
JOIN billing_invoice invoice ON invoice.id = invoice_id
JOIN accounts_organization organization ON organization.id = invoice.organization_id
WHERE account = 'receivable' AND movement.created_at < %(end)s
GROUP BY organization.id, organization.name, number, due_at HAVING sum(amount) <> 0
ORDER BY due_at, number
"""

_AGES = ((0, "not due"), (30, "1-30 days"), (60, "31-60 days"), (90, "61-90 days"))


def prepaid(*, end: datetime, start: datetime | None = None) -> Report[Credit]:
    """Each organization's credit as of `end`; organizations with none have no row."""
    rows = [
        Credit(
            organization_id=organization_id,
            organization=name,
            paid=max(paid, Decimal(0)),
            unbilled=max(-paid, Decimal(0)),
            promotional=promotional,
        )
        for organization_id, name, paid, promotional in query(_CREDIT, {"end": end})
    ]
    total = sum((row.paid - row.unbilled + row.promotional for row in rows), Decimal(0))
    names = (LedgerEntry.Name.CUSTOMER_CREDIT, LedgerEntry.Name.PROMOTIONAL_CREDIT)
    return Report(rows, total, sum((booked(name, end=end) for name in names), Decimal(0)))


def receivables(*, end: datetime, start: datetime | None = None) -> Report[Receivable]:
    """The unpaid invoices as of `end`, the oldest first."""
    rows = [
        Receivable(
            organization_id=organization_id,
            organization=name,
            invoice=number,
            due_at=due_at,
            age=_age(-((due_at - end) // timedelta(days=1))),
            amount=unpaid,
        )
        for organization_id, name, number, due_at, unpaid in query(_RECEIVABLE, {"end": end})
    ]
    total = sum((row.amount for row in rows), Decimal(0))
    return Report(rows, total, -booked(LedgerEntry.Name.RECEIVABLE, end=end))


def _age(days: int) -> str:
    """The name of an age in days, begun ones counted as whole."""
    return next((name for most, name in _AGES if days <= most), "over 90 days")
