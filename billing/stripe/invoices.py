"""Our invoices at Stripe, where they are paid: each comes as plain data, and Stripe's has its lines and total.

A line is `quantity_decimal` in seconds x `unit_amount_decimal` in cents per second, exact on both sides: $0.045 a
minute is 0.075 cents a second. Minutes would not do, since a millisecond is no finite part of one. Both members
take 12 decimal places (https://docs.stripe.com/changelog/dahlia/2026-03-25/invoice-items-decimal-quantity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing.invoices import details
from billing.invoices import payments as receipts
from billing.models import Invoice, StripeCall, StripeInvoice, StripePayment
from billing.stripe import customers, outbox
from billing.stripe.amounts import CURRENCY, from_cents, to_cents
from billing.stripe.payments import cause_of

CREDIT_NOTE = "credit-note:"
"""Before a credit note's id, the key of the call that tells of it."""
MOST_LINES = 249
"""Stripe takes 250 (https://docs.stripe.com/api/invoiceitems/create); one is kept for what rounding leaves."""
_PARTS = {"refund_amount", "credit_amount", "out_of_band_amount"}
_SOONEST_DUE = timedelta(days=3)
"""Stripe takes no day that is over, and may have it from us late."""
_PLACES = Decimal("0.000000000001")
_SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeLine:
    """A line of an invoice: `amount` in dollars and whole cents, rounded once, by us.

    Usage has `seconds` (three places) and `dollars_per_minute`; a credit that is applied has neither, and an
    amount below zero. `tax` is what the line adds to the invoice's tax, where it is not Stripe that finds it.
    """

    description: str
    amount: Decimal
    seconds: Decimal | None = None
    dollars_per_minute: Decimal | None = None
    tax: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeTax:
    """How an invoice is taxed: by Stripe Tax, or at a rate of ours whose amounts are on the lines."""

    automatic: bool = False
    name: str = ""
    percentage: Decimal = Decimal(0)


@transaction.atomic
def issue(
    *,
    invoice: Invoice,
    lines: Sequence[StripeLine],
    tax: StripeTax | None = None,
) -> StripeInvoice:
    """Have Stripe show and collect a finalized invoice. A repeat changes nothing.

    Raises:
        ValueError: there is no line, one has a fraction of a cent, or they come to less than nothing.
    """
    subtotal = sum(to_cents(line.amount) for line in lines)
    total = subtotal + (
        to_cents(invoice.tax) if tax and tax.automatic else sum(to_cents(line.tax) for line in lines)
    )
    if not lines or total < 0:
        raise ValueError("lines: at least one, and together not below zero")
    shown, fresh = StripeInvoice.objects.get_or_create(invoice=invoice, defaults={"total": from_cents(total)})
    if not fresh:
        return shown
    _, described = customers.describe(invoice.organization, details.of(invoice.organization))
    due = max(invoice.due_at or timezone.now(), timezone.now() + _SOONEST_DUE)
    made = outbox.put(
        key=f"invoice:{invoice.pk}",
        operation="invoice.create",
        parameters={
            "customer": outbox.id_of(described.key),
            "currency": CURRENCY,
            "number": invoice.number,
            "auto_advance": False,  # reminders and suspension are ours
            "collection_method": "send_invoice",
            "due_date": int(due.timestamp()),
            "pending_invoice_items_behavior": "exclude",
            "metadata": {"invoice": str(invoice.pk)},
            **({"automatic_tax": {"enabled": True}} if tax and tax.automatic else {}),
        },
    )
    filled = outbox.put(
        key=f"invoice-lines:{invoice.pk}",
        operation="invoice.add_lines",
        parameters={
            "invoice": outbox.id_of(made.key),
            "lines": [_as_stripes(line, (invoice.start, invoice.end), tax) for line in fold(lines)],
        },
    )
    outbox.put(
        key=f"invoice-final:{invoice.pk}",
        operation="invoice.finalize",
        parameters={
            "invoice": outbox.id_of(made.key),
            "after": outbox.id_of(filled.key),
            "subtotal": subtotal,
        },
    )
    return shown


def mark_paid(*, invoice_id: UUID) -> StripeCall:
    """Tell Stripe that an invoice was paid elsewhere, by a transfer for one."""
    return _after_final(invoice_id, "pay", {"paid_out_of_band": True})


def void(*, invoice_id: UUID) -> StripeCall:
    """Take an unpaid invoice back."""
    return _after_final(invoice_id, "void", {})


@transaction.atomic
def credit(
    *, invoice_id: UUID, credit_note_id: UUID, amount: Decimal, memo: str, to_card: bool = False
) -> StripeCall:
    """Have Stripe show a credit note of ours, tax included. What was paid of it goes back to the card, or is ours
    to settle; what was not is owed no more.

    Raises:
        ValueError: the invoice has not as much left.
    """
    cents = to_cents(amount)
    key = f"{CREDIT_NOTE}{credit_note_id}"
    if (earlier := StripeCall.objects.filter(key=key).first()) is not None:
        return earlier
    left = StripeInvoice.objects.filter(invoice_id=invoice_id, total__gte=F("credited") + amount)
    if cents <= 0 or not left.update(credited=F("credited") + amount):
        raise ValueError("amount: above zero, and no more than what is left of the invoice")
    paid = StripeInvoice.objects.filter(invoice_id=invoice_id, status="paid").exists()
    settled = {"refund_amount" if to_card else "out_of_band_amount": cents} if paid else {}
    return outbox.put(
        key=key,
        operation="credit_note.create",
        parameters={
            "invoice": outbox.id_of(f"invoice-final:{invoice_id}"),
            "amount": cents,
            "memo": memo,
            "metadata": {"credit_note": str(credit_note_id)},
            **settled,
        },
    )


def fold(lines: Sequence[StripeLine]) -> list[StripeLine]:
    """No more lines than Stripe takes: where there are more, those of one price become one."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    by_price: dict[Decimal | None, list[StripeLine]] = defaultdict(list)
    for line in lines:
        by_price[line.dollars_per_minute].append(line)
    folded = [_sum(alike) for alike in by_price.values()]
    if len(folded) > MOST_LINES:
        folded = [_sum([replace(line, seconds=None, dollars_per_minute=None) for line in folded])]
    return folded


@transaction.atomic
def apply(invoice: dict[str, Any], payments: Sequence[dict[str, Any]]) -> None:
    """Bring an invoice to what Stripe says, and book what Stripe received for it: once for each payment intent."""
    ours = StripeInvoice.objects.select_for_update(of=("self",)).select_related("invoice__organization")
    if not (named := (invoice.get("metadata") or {}).get("invoice")) or not (
        row := ours.filter(invoice_id=named).first()
    ):
        return
    _note(invoice)
    for paid in payments:
        intent = paid["payment"].get("payment_intent")
        if intent is None or StripePayment.objects.filter(payment_intent=intent).exists():
            continue
        amount = from_cents(paid["amount_paid"])
        movement = receipts.record(invoice_id=row.invoice_id, amount=amount, cause=cause_of(intent))
        StripePayment.objects.create(
            organization=row.invoice.organization,
            purpose=StripePayment.Purpose.INVOICE,
            invoice=row,
            amount=amount,
            payment_intent=intent,
            movement=movement,
            state=StripePayment.State.PAID,
        )


def finalize(client: stripe.StripeClient, p: dict[str, Any], o: Any) -> dict[str, Any]:
    """Finalize the invoice once its lines come to what ours do.

    Stripe rounds its lines by its own rule, and folded ones once instead of each: the cents between are a line.
    """
    if missing := p["subtotal"] - client.v1.invoices.retrieve(p["invoice"]).subtotal:
        rounding = {"lines": [{"description": "Rounding", "amount": missing}]}
        key = {"idempotency_key": f"{o['idempotency_key']}:rounding"}
        client.v1.invoices.add_lines(p["invoice"], rounding, key)  # type: ignore[arg-type]  # plain JSON
    return client.v1.invoices.finalize_invoice(p["invoice"], {"auto_advance": False}, o).to_dict()


def create_credit_note(client: stripe.StripeClient, p: dict[str, Any], o: Any) -> dict[str, Any]:
    """Make the credit note; where the invoice was paid meanwhile, its amount is settled here, not at Stripe."""
    try:
        return client.v1.credit_notes.create(p, o).to_dict()  # type: ignore[arg-type]  # plain JSON
    except stripe.InvalidRequestError:
        if client.v1.invoices.retrieve(p["invoice"]).status != "paid" or _PARTS & p.keys():
            raise
    settled = {**p, "out_of_band_amount": p["amount"]}
    key = {"idempotency_key": f"{o['idempotency_key']}:paid"}
    return client.v1.credit_notes.create(settled, key).to_dict()  # type: ignore[arg-type]  # plain JSON


def note_call(call: StripeCall, invoice: dict[str, Any]) -> None:
    _note(invoice)


def note_credit(call: StripeCall, note: dict[str, Any]) -> None:
    """The invoice itself says more: its event follows."""


def _note(invoice: dict[str, Any]) -> None:
    columns = {"stripe_id": invoice["id"], "status": invoice["status"]}
    if invoice["status"] != "draft":
        columns["url"] = invoice.get("hosted_invoice_url") or ""
    StripeInvoice.objects.filter(invoice_id=invoice["metadata"]["invoice"]).update(**columns)


def _after_final(invoice_id: UUID, verb: str, parameters: dict[str, Any]) -> StripeCall:
    return outbox.put(
        key=f"invoice-{verb}:{invoice_id}",
        operation=f"invoice.{verb}",
        parameters={"invoice": outbox.id_of(f"invoice-final:{invoice_id}"), **parameters},
    )


def _sum(lines: Sequence[StripeLine]) -> StripeLine:
    if len(lines) == 1:
        return lines[0]
    seconds = [line.seconds for line in lines if line.seconds is not None]
    return StripeLine(
        description=f"{len(lines)} lines of the invoice, which has the detail",
        amount=sum((line.amount for line in lines), Decimal(0)),
        tax=sum((line.tax for line in lines), Decimal(0)),
        seconds=sum(seconds, Decimal(0)) if seconds else None,
        dollars_per_minute=lines[0].dollars_per_minute,
    )


def _as_stripes(line: StripeLine, period: tuple[datetime, datetime], tax: StripeTax | None) -> dict[str, Any]:
    start, end = (int(moment.timestamp()) for moment in period)
    shown: dict[str, Any] = {"description": line.description, "period": {"start": start, "end": end}}
    unit = _cents_per_second(line.dollars_per_minute)
    if line.seconds is None or unit is None:
        shown["amount"] = to_cents(line.amount)
    else:
        shown["quantity_decimal"] = f"{line.seconds:f}"
        shown["price_data"] = {
            "currency": CURRENCY,
            "unit_amount_decimal": f"{unit:f}",
            "tax_behavior": "exclusive",
            "product_data": {"name": "Generated audio, by the second"},
        }
    if tax and not tax.automatic and line.tax:
        rate = {"display_name": tax.name, "percentage": f"{tax.percentage:f}", "inclusive": False}
        shown["tax_amounts"] = [
            {"amount": to_cents(line.tax), "taxable_amount": to_cents(line.amount), "tax_rate_data": rate}
        ]
    return shown


def _cents_per_second(dollars_per_minute: Decimal | None) -> Decimal | None:
    """None where Stripe's 12 places do not hold it: such a line shows its amount alone."""
    if dollars_per_minute is None:
        return None
    unit = (dollars_per_minute * 100 / _SECONDS_PER_MINUTE).quantize(_PLACES)
    return unit.normalize() if unit * _SECONDS_PER_MINUTE == dollars_per_minute * 100 else None
