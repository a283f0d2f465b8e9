"""Closing a month: what was used in it is summed up, once, into a draft.

Two transactions. The first locks the account, notes what is owed at the month's end, and lets no more usage into
the month (see `billing.settlement`). So the second needs no lock that requests wait for, however much it sums up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Min, Sum
from django.utils import timezone

from accounts.models import Organization
from billing.booking import lock
from billing.invoices.amounts import sum_up, to_cents
from billing.invoices.months import Month
from billing.models import Account, Invoice, InvoiceDay, InvoiceLine, UsageRecord

_DAYS = """
SELECT model, voice, dollars_per_minute, (created_at AT TIME ZONE 'UTC')::date AS day,
    count(*), sum(duration_ms)::bigint, sum(cost)
FROM billing_usagerecord
WHERE organization_id = %s AND created_at >= %s AND created_at < %s
GROUP BY model, voice, dollars_per_minute, day
ORDER BY model, voice, dollars_per_minute, day
"""

_PROMOTIONAL = """
SELECT coalesce(-sum(amount), 0)
FROM billing_usagerecord JOIN billing_ledgerentry ON transaction_id = job_id
WHERE organization_id = %s AND created_at >= %s AND created_at < %s AND account = 'promotional_credit'
"""

# One record of each account is looked up by its index. For an EXISTS the planner may read all that is unclosed.
_UNCLOSED = """
SELECT organization_id FROM billing_account account, LATERAL (
    SELECT FROM billing_usagerecord record WHERE record.organization_id = account.organization_id
    AND record.created_at >= coalesce(account.invoiced_until, '-infinity') AND record.created_at < %s
    ORDER BY record.created_at LIMIT 1
) AS first ORDER BY organization_id
"""


class MonthNotOver(ValueError):
    """The month still takes usage."""


def unclosed(*, before: datetime) -> list[UUID]:
    """The organizations that have usage before a month's start which belongs to no invoice yet."""
    with connection.cursor() as cursor:
        cursor.execute(_UNCLOSED, (before,))
        return [organization_id for (organization_id,) in cursor.fetchall()]


def close(*, organization: Organization, through: Month, now: datetime | None = None) -> list[Invoice]:
    """The drafts of an organization's months up to `through` that have usage and were not closed, oldest first.

    Safe to run again, and at once: a month has one invoice, and whoever comes second finds it. Where a run was
    cut off, the next one goes on.

    Raises:
        MonthNotOver: `through` still takes usage.
    """
    now = now or timezone.now()
    if now < through.end:
        raise MonthNotOver(f"{through} ends at {through.end:%Y-%m-%d %H:%M} UTC")
    for month in _unclosed_months(organization, through):
        _begin(organization, month)
    drafts = Invoice.objects.filter(organization=organization, state=Invoice.State.DRAFT, end__lte=through.end)
    return [_price(invoice_id) for invoice_id in drafts.order_by("start").values_list("pk", flat=True)]


@transaction.atomic
def bill_again(*, voided: Invoice) -> Invoice:
    """The draft of a new invoice for the month of a voided one: the same usage, and what credit had paid of it.

    Raises:
        ValueError: the invoice is not void.
    """
    lock(voided.organization)
    voided.refresh_from_db()
    if voided.state != Invoice.State.VOID:
        raise ValueError(f"invoice {voided.number}: it is {voided.state}, not void")
    draft, _ = Invoice.objects.exclude(state=Invoice.State.VOID).get_or_create(
        organization=voided.organization,
        start=voided.start,
        defaults={"end": voided.end, "due_exact": voided.due_exact},
    )
    return _price(draft.pk)


def _unclosed_months(organization: Organization, through: Month) -> Iterator[Month]:
    since = Account.objects.filter(organization=organization).values_list("invoiced_until", flat=True).first()
    while True:
        records = UsageRecord.objects.filter(organization=organization, created_at__lt=through.end)
        if since:
            records = records.filter(created_at__gte=since)
        first = records.aggregate(first=Min("created_at"))["first"]
        if first is None:
            return
        yield (month := Month.of(first))
        since = month.end


@transaction.atomic
def _begin(organization: Organization, month: Month) -> None:
    """Close a month to further usage and record the debt at its end; does nothing if it is closed."""
    account = lock(organization)
    if account.invoiced_until and account.invoiced_until >= month.end:
        return
    Invoice.objects.create(
        organization=organization, start=month.start, end=month.end, due_exact=_owed(account, month.end)
    )
    account.invoiced_until = month.end
    account.save(update_fields=["invoiced_until"])


def _owed(account: Account, end: datetime) -> Decimal:
    """What the organization's paid credit lacks at a moment, less what drafts will ask for.

    A prepaid one is asked for nothing: what a late settlement took below zero, its next top-up covers.
    """
    if not account.credit_limit:
        return Decimal(0)
    of = account.organization_id
    used = UsageRecord.objects.filter(organization=of, created_at__gte=end).aggregate(sum=Sum("cost"))["sum"]
    drafts = Invoice.objects.filter(organization=of, state=Invoice.State.DRAFT).aggregate(sum=Sum("due_exact"))
    paid_credit: Decimal = account.balance - account.promotional
    paid_credit += (used or 0) - _promotional(of, end, None) + (drafts["sum"] or 0)
    return max(Decimal(0), -paid_credit)


@transaction.atomic
def _price(invoice_id: UUID) -> Invoice:
    """Write a draft's lines; nothing where they are written."""
    invoice = Invoice.objects.select_for_update(of=("self",)).select_related("organization").get(pk=invoice_id)
    if invoice.priced_at:
        return invoice
    lines = _write_lines(invoice)
    sums = sum_up(
        [(line.exact, line.amount) for line in lines],
        promotional_exact=_promotional(invoice.organization_id, invoice.start, invoice.end),
        owed=invoice.due_exact,
    )
    for name in ("exact", "subtotal", "promotional_exact", "promotional", "prepaid", "due_exact", "net"):
        setattr(invoice, name, getattr(sums, name))
    invoice.total = invoice.net
    invoice.priced_at = timezone.now()
    invoice.save()
    return invoice


def _write_lines(invoice: Invoice) -> list[InvoiceLine]:
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, (invoice.organization_id, invoice.start, invoice.end))
        rows = cursor.fetchall()
    lines: dict[tuple[str, str, Decimal], InvoiceLine] = {}
    days: list[InvoiceDay] = []
    for model, voice, price, day, requests, duration_ms, exact in rows:
        line = lines.get((model, voice, price))
        if line is None:
            line = lines[model, voice, price] = InvoiceLine(
                invoice=invoice,
                position=len(lines) + 1,
                model=model,
                voice=voice,
                dollars_per_minute=price,
                requests=0,
                duration_ms=0,
                exact=Decimal(0),
            )
        line.requests += requests
        line.duration_ms += duration_ms
        line.exact += exact
        days.append(InvoiceDay(line=line, day=day, requests=requests, duration_ms=duration_ms, exact=exact))
    for line in lines.values():
        line.amount = to_cents(line.exact)
    InvoiceLine.objects.bulk_create(lines.values())
    for day_of_line in days:
        day_of_line.line_id = day_of_line.line.pk  # known since the lines were written
    InvoiceDay.objects.bulk_create(days)
    return list(lines.values())


def _promotional(organization_id: UUID, start: datetime, end: datetime | None) -> Decimal:
    """What promotional credit paid of the usage of a span."""
    with connection.cursor() as cursor:
        cursor.execute(_PROMOTIONAL, (organization_id, start, end or "infinity"))
        paid: Decimal = cursor.fetchone()[0]
    return paid
