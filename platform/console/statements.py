"""A month's transactions of an organization's credit, with usage summed up by day."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from uuid import UUID

from django.db.models import Q, Sum

from accounts.identifiers import uuid7_floor
from billing import pricing
from billing.models import LedgerEntry, LedgerTransaction
from usage import rollups, usage

DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)
CREDIT = (LedgerEntry.Name.CUSTOMER_CREDIT, LedgerEntry.Name.PROMOTIONAL_CREDIT)
NAMES = {
    LedgerTransaction.Kind.GRANT: "Promotional credit",
    LedgerTransaction.Kind.EXPIRY: "Promotional credit expired",
    LedgerTransaction.Kind.TOP_UP: "Top-up",
    LedgerTransaction.Kind.PAYOUT: "Paid out",
    LedgerTransaction.Kind.REFUND: "Refund",
    LedgerTransaction.Kind.INVOICE: "Invoice",
    LedgerTransaction.Kind.PAYMENT: "Paid beyond an invoice",
    LedgerTransaction.Kind.CREDIT_NOTE: "Credit note",
    LedgerTransaction.Kind.WRITE_OFF: "Written off",
    LedgerTransaction.Kind.DISPUTE: "Taken back by the bank",
    LedgerTransaction.Kind.CORRECTION: "Correction",
}


@dataclass(frozen=True, slots=True)
class Movement:
    """`amount` is positive for added credit."""

    at: datetime
    name: str
    amount: Decimal
    is_usage: bool = False


def movements(*, organization_id: UUID, month: date) -> list[Movement]:
    """A calendar month's (UTC), newest first. Usage, a transaction a request, is summed up by day."""
    first = datetime.combine(month.replace(day=1), time(), UTC)
    after = following(first)
    # A transaction's id begins with its time, so that the index of the ids finds the month.
    booked = (
        LedgerTransaction.objects.filter(
            organization=organization_id, id__gte=uuid7_floor(first), id__lt=uuid7_floor(after)
        )
        .exclude(kind=LedgerTransaction.Kind.USAGE)
        .annotate(amount=Sum("entries__amount", filter=Q(entries__account__in=CREDIT), default=Decimal(0)))
        .exclude(amount=0)  # payments of invoices do not change the credit
    )
    by_hand = [Movement(each.created_at, NAMES[LedgerTransaction.Kind(each.kind)], each.amount) for each in booked]
    rollups.refresh(organization_id=organization_id)
    days = usage.costs(organization_id=organization_id, start=first, end=after, by="start")
    used = [Movement(day + DAY - INSTANT, "Usage", -cost, is_usage=True) for day, cost in days.items()]
    return sorted([*by_hand, *used], key=lambda movement: movement.at, reverse=True)


def as_csv(found: Sequence[Movement]) -> str:
    """The transactions as CSV, with nine decimal places."""
    lines = StringIO()
    writer = csv.writer(lines)
    writer.writerow(("date", "what", "dollars"))
    writer.writerows((movement.at.date(), movement.name, pricing.show(movement.amount)) for movement in found)
    return lines.getvalue()


def following(first: datetime) -> datetime:
    """The first moment of the month after."""
    return (first + timedelta(days=32)).replace(day=1)
