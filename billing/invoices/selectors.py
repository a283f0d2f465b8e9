"""What there is to see of an organization's invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from accounts.models import Organization
from billing.models import CreditNote, Invoice, LedgerEntry, LedgerTransaction

_CREDIT = (LedgerEntry.Name.CUSTOMER_CREDIT, LedgerEntry.Name.PROMOTIONAL_CREDIT)

UNBILLED = """
SELECT organization_id, sum(cost) AS cost
FROM {records} record JOIN billing_account account USING (organization_id)
WHERE (invoiced_until IS NULL OR record.created_at >= invoiced_until OR NOT EXISTS (
    SELECT FROM billing_invoice invoice WHERE invoice.organization_id = account.organization_id
        AND state <> 'void' AND record.created_at >= start AND record.created_at < "end"
)) {only}
GROUP BY organization_id
"""
"""Usage that no invoice bills: that of the running month, and of months whose invoice was voided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A movement of an organization's money: what it did to the credit that can be spent, and to what is owed on
    invoices (above zero: more to pay)."""

    id: UUID
    at: datetime
    kind: str
    cause: str
    credit: Decimal
    receivable: Decimal
    invoice_number: str | None


def issued(organization: Organization) -> QuerySet[Invoice]:
    """An organization's invoices, newest first, without drafts."""
    return (
        Invoice.objects.filter(organization=organization)
        .exclude(state=Invoice.State.DRAFT)
        .order_by("-start", "-issued_at")
    )


def credit_notes(organization: Organization) -> QuerySet[CreditNote]:
    """An organization's credit notes, newest first."""
    return CreditNote.objects.filter(invoice__organization=organization).order_by("-issued_at")


def movements(organization: Organization, *, start: datetime, end: datetime) -> list[Movement]:
    """Every movement but usage, which has its records, of a span of time, newest first."""
    rows = (
        LedgerTransaction.objects.filter(organization=organization, created_at__gte=start, created_at__lt=end)
        .exclude(kind=LedgerTransaction.Kind.USAGE)
        .annotate(
            credit=Sum("entries__amount", filter=Q(entries__account__in=_CREDIT), default=Decimal(0)),
            receivable=Sum(
                "entries__amount",
                filter=Q(entries__account=LedgerEntry.Name.RECEIVABLE),
                default=Decimal(0),
            ),
        )
        .order_by("-created_at", "-id")
        .values_list("id", "created_at", "kind", "cause", "credit", "receivable", "of_invoice__invoice__number")
    )
    return [
        Movement(
            id=id, at=at, kind=kind, cause=cause, credit=credit, receivable=-receivable, invoice_number=number
        )
        for id, at, kind, cause, credit, receivable, number in rows
    ]


def unbilled(organization: Organization) -> Decimal:
    """The exact cost of the usage that no invoice bills yet."""
    with connection.cursor() as cursor:
        query = UNBILLED.format(records="billing_usagerecord", only="AND organization_id = %s")
        cursor.execute(query, (organization.pk,))
        row = cursor.fetchone()
    return row[1] if row else Decimal(0)
