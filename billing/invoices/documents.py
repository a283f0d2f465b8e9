"""What stands on an invoice and on a credit note, once, for all the forms that `rendering` gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from billing.invoices.amounts import CENT
from billing.models import CreditNote, Invoice, InvoiceDay, InvoiceLine
from billing.pricing import NANO_DOLLAR

CURRENCY = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day (UTC) of a line."""

    day: date
    requests: int
    duration_ms: int
    exact: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLine:
    """One model in one voice at one price: `duration_ms` x `dollars_per_minute` / 60,000 = `exact`, ~ `amount`."""

    position: int
    model: str
    voice: str
    dollars_per_minute: Decimal
    requests: int
    duration_ms: int
    exact: Decimal
    amount: Decimal
    days: list[Day]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """An invoice, in dollars: `exact*` with nine places, the rest in whole cents."""

    number: str
    void: bool
    currency: str
    issued_on: date
    due_on: date
    first_day: date
    last_day: date
    seller: dict[str, Any]
    customer: dict[str, Any]
    lines: list[PrintedLine]
    exact: Decimal
    subtotal: Decimal
    promotional_credit: Decimal
    paid_credit: Decimal
    net: Decimal
    tax_percent: Decimal
    tax_note: str
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteDocument:
    """A credit note, in dollars and whole cents."""

    number: str
    currency: str
    issued_on: date
    invoice_number: str
    invoice_issued_on: date
    reason: str
    seller: dict[str, Any]
    customer: dict[str, Any]
    net: Decimal
    tax_percent: Decimal
    tax: Decimal
    total: Decimal
    off_invoice: Decimal
    """What is no longer to be paid."""
    to_credit: Decimal
    """What had been paid and became credit."""


def of_invoice(invoice: Invoice) -> InvoiceDocument:
    """Raises ValueError for a draft, which is no document yet."""
    if not (invoice.number and invoice.issued_at and invoice.due_at):
        raise ValueError(f"invoice {invoice.pk}: it is a draft")
    return InvoiceDocument(
        number=invoice.number,
        void=invoice.state == Invoice.State.VOID,
        currency=CURRENCY,
        issued_on=invoice.issued_at.date(),
        due_on=invoice.due_at.date(),
        first_day=invoice.start.date(),
        last_day=(invoice.end - timedelta(days=1)).date(),
        seller=invoice.seller,
        customer=invoice.customer,
        lines=list(_lines(invoice)),
        exact=_exact(invoice.exact),
        subtotal=_cents(invoice.subtotal),
        promotional_credit=_cents(invoice.promotional),
        paid_credit=_cents(invoice.prepaid),
        net=_cents(invoice.net),
        tax_percent=invoice.tax_percent,
        tax_note=invoice.tax_note,
        tax=_cents(invoice.tax),
        total=_cents(invoice.total),
    )


def of_credit_note(note: CreditNote) -> CreditNoteDocument:
    invoice = note.invoice
    if not (invoice.number and invoice.issued_at):
        raise ValueError(f"invoice {invoice.pk}: it is a draft")
    return CreditNoteDocument(
        number=note.number,
        currency=CURRENCY,
        issued_on=note.issued_at.date(),
        invoice_number=invoice.number,
        invoice_issued_on=invoice.issued_at.date(),
        reason=note.reason,
        seller=invoice.seller,
        customer=invoice.customer,
        net=_cents(note.net),
        tax_percent=invoice.tax_percent,
        tax=_cents(note.tax),
        total=_cents(note.total),
        off_invoice=_cents(note.unpaid),
        to_credit=_cents(note.total - note.unpaid),
    )


def days(document: InvoiceDocument) -> list[Day]:
    """The days of an invoice, all lines together."""
    every = sorted((day for line in document.lines for day in line.days), key=lambda day: day.day)
    return [_total(day, list(group)) for day, group in groupby(every, key=lambda day: day.day)]


def _total(day: date, parts: Iterable[Day]) -> Day:
    parts = list(parts)
    return Day(
        day=day,
        requests=sum(part.requests for part in parts),
        duration_ms=sum(part.duration_ms for part in parts),
        exact=sum((part.exact for part in parts), Decimal(0)),
    )


def _lines(invoice: Invoice) -> Iterable[PrintedLine]:
    by_line: dict[int, list[Day]] = {}
    for day in InvoiceDay.objects.filter(line__invoice=invoice).order_by("day"):
        by_line.setdefault(day.line_id, []).append(
            Day(day=day.day, requests=day.requests, duration_ms=day.duration_ms, exact=_exact(day.exact))
        )
    for line in InvoiceLine.objects.filter(invoice=invoice).order_by("position"):
        yield PrintedLine(
            position=line.position,
            model=line.model,
            voice=line.voice,
            dollars_per_minute=_exact(line.dollars_per_minute),
            requests=line.requests,
            duration_ms=line.duration_ms,
            exact=_exact(line.exact),
            amount=_cents(line.amount),
            days=by_line[line.pk],
        )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)


def _exact(amount: Decimal) -> Decimal:
    return amount.quantize(NANO_DOLLAR)
