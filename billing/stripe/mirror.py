"""Stripe shows what we issue: each invoice, what was paid of it elsewhere, what was taken back, each told once.

A sweep finds what Stripe was not told yet, so issuing and crediting know nothing of Stripe, and what happened
while it was away is told later. One invoice's failure is logged and stops no other's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Concat

from billing.invoices.amounts import to_cents
from billing.models import CreditNote, Invoice, InvoiceLine, StripeCall, StripePayment
from billing.stripe import invoices
from billing.stripe.invoices import StripeLine, StripeTax

log = logging.getLogger(__name__)

_MILLISECONDS = Decimal(1000)
_State = Invoice.State


def show_all() -> None:
    """Put everything in the outbox that Stripe was not told."""
    unseen = Invoice.objects.filter(state=_State.OPEN, at_stripe__isnull=True, paid=0, credited=0)
    for invoice in unseen.select_related("organization").order_by("number"):
        _tell(issue, invoice)
    told = StripeCall.objects.filter(key=Concat(Value(invoices.CREDIT_NOTE), Cast(OuterRef("pk"), CharField())))
    for note in CreditNote.objects.filter(~Exists(told), invoice__at_stripe__isnull=False).order_by("number"):
        _tell(credit, note)
    asked = Invoice.objects.filter(at_stripe__status="open").order_by("number")
    for invoice in asked.filter(state=_State.VOID):
        invoices.void(invoice_id=invoice.pk)
    by_card = StripePayment.objects.filter(invoice=OuterRef("pk"), state=StripePayment.State.PAID)
    for invoice in asked.filter(~Exists(by_card), state=_State.PAID, credited__lt=F("total")):
        invoices.mark_paid(invoice_id=invoice.pk)


def issue(invoice: Invoice) -> None:
    """Show a finalized invoice at Stripe, where it can be paid."""
    invoices.issue(invoice=invoice, lines=lines_of(invoice), tax=_tax_of(invoice))


def credit(note: CreditNote) -> None:
    """Show a credit note at Stripe. What was paid of it is credit here, so no card gets it back."""
    invoices.credit(
        invoice_id=note.invoice_id, credit_note_id=note.pk, amount=note.total, memo=note.reason, to_card=False
    )


def lines_of(invoice: Invoice) -> list[StripeLine]:
    """The invoice's lines, the credit that paid of them, and the tax shared out over all of them."""
    lines = [_as_line(line) for line in invoice.lines.order_by("position")]
    if invoice.promotional:
        lines.append(StripeLine(description="Promotional credit", amount=-invoice.promotional))
    if invoice.prepaid:
        lines.append(StripeLine(description="Paid credit", amount=-invoice.prepaid))
    if not invoice.tax or settings.STRIPE_TAX:
        return lines
    # The tax of all lines so far, less what the ones before bear: the shares come to the whole, to the cent.
    sums = [Decimal(0)]
    for line in lines:
        sums.append(sums[-1] + line.amount)
    shares = [to_cents(invoice.tax * part / invoice.net) for part in sums]
    return [
        StripeLine(
            description=line.description,
            amount=line.amount,
            seconds=line.seconds,
            dollars_per_minute=line.dollars_per_minute,
            tax=after - before,
        )
        for line, (before, after) in zip(lines, pairwise(shares), strict=True)
    ]


def _as_line(line: InvoiceLine) -> StripeLine:
    return StripeLine(
        description=f"{line.model}, {line.voice}",
        amount=line.amount,
        seconds=line.duration_ms / _MILLISECONDS,
        dollars_per_minute=line.dollars_per_minute,
    )


def _tax_of(invoice: Invoice) -> StripeTax | None:
    if settings.STRIPE_TAX:
        return StripeTax(automatic=True)
    return StripeTax(name=invoice.tax_note[:50] or "Tax", percentage=invoice.tax_percent) if invoice.tax else None


def _tell(tell: Callable[[Any], None], document: Invoice | CreditNote) -> None:
    try:
        tell(document)
    except ValueError:
        log.exception("Stripe was not told of %s", document.number)
