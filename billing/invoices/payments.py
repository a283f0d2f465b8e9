"""Money received for an invoice, money taken back, and money that will not come."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing.audit import Operator
from billing.booking import find, lock
from billing.invoices import dunning
from billing.invoices.amounts import is_whole_cents
from billing.invoices.issuing import WrongState, book_for, find_for, locked
from billing.models import Invoice, LedgerEntry, LedgerTransaction

_Kind = LedgerTransaction.Kind
_Name = LedgerEntry.Name
_State = Invoice.State


@transaction.atomic
def record(
    *,
    invoice_id: UUID,
    amount: Decimal,
    cause: str,
    now: datetime | None = None,
    operator: Operator | None = None,
) -> LedgerTransaction:
    """Book money received for an invoice. What is more than is left to pay becomes paid credit, and so does all of
    it where the invoice is paid or void: money that came is booked. A repeat of the cause changes nothing.

    Ledger: cash -amount, receivable (or bad debt, where it was written off) +what is left, customer credit +rest.

    Raises:
        ValueError: the amount is not above zero, or not in whole cents.
        WrongState: the invoice is a draft.
        CauseTaken: the cause names a payment of another invoice.
    """
    if amount <= 0 or not is_whole_cents(amount):
        raise ValueError("amount: must be above zero, in whole cents")
    account, invoice = locked(invoice_id)
    if earlier := find_for(invoice, _Kind.PAYMENT, cause, account=account):
        return earlier
    if invoice.state == _State.DRAFT:
        raise WrongState(f"invoice {invoice.pk}: a draft asks for nothing yet; finalize it first")
    written_off = invoice.state == _State.UNCOLLECTIBLE
    applied = min(amount, invoice.left) if invoice.state != _State.VOID else Decimal(0)
    movement = book_for(
        invoice,
        _Kind.PAYMENT,
        account=account,
        cause=cause,
        legs={
            _Name.CASH: -amount,
            _Name.BAD_DEBT if written_off else _Name.RECEIVABLE: applied,
            _Name.CUSTOMER_CREDIT: amount - applied,
        },
        operator=operator,
    )
    if applied:
        invoice.paid += applied
        if not invoice.left:
            invoice.state, invoice.ended_at = _State.PAID, now or timezone.now()
        invoice.save(update_fields=["paid", "state", "ended_at"])
        dunning.lift(account)
    return movement


@transaction.atomic
def take_back(*, payment: LedgerTransaction, cause: str, operator: Operator | None = None) -> LedgerTransaction:
    """Book that a payment went back to the payer (a bounced transfer, a lost dispute): the invoice is as unpaid as
    before it. What had become paid credit is owed, even where it is used. A repeat of the cause changes nothing.

    Raises:
        ValueError: it is no payment of an invoice, or was taken back before.
    """
    account = lock(payment.organization)
    if earlier := find(_Kind.CORRECTION, cause, account):
        return earlier
    if payment.kind != _Kind.PAYMENT or payment.corrections.exists():
        raise ValueError(f"payment: {payment.pk} is none, or went back before")
    account, invoice = locked(payment.of_invoice.invoice_id)
    legs = {_Name(leg.account): leg.amount for leg in payment.entries.all()}
    movement = book_for(
        invoice,
        _Kind.CORRECTION,
        account=account,
        cause=cause,
        legs={name: -amount for name, amount in legs.items()},
        operator=operator,
        corrects=payment,
        owed=True,
    )
    applied = legs.get(_Name.RECEIVABLE, Decimal(0)) + legs.get(_Name.BAD_DEBT, Decimal(0))
    if applied:
        invoice.paid -= applied
        if invoice.state == _State.PAID:
            invoice.state = _State.UNCOLLECTIBLE if _Name.BAD_DEBT in legs else _State.OPEN
            invoice.ended_at = None
        invoice.save(update_fields=["paid", "state", "ended_at"])
    return movement


@transaction.atomic
def write_off(*, invoice_id: UUID, now: datetime | None = None, operator: Operator) -> Invoice:
    """Give up what is left to pay of an open invoice. A suspension stays; a later payment is still taken. A repeat
    changes nothing.

    Ledger: receivable +left, bad debt -left.

    Raises:
        WrongState: the invoice is not open.
    """
    account, invoice = locked(invoice_id)
    if invoice.state == _State.UNCOLLECTIBLE:
        return invoice
    if invoice.state != _State.OPEN:
        raise WrongState(f"invoice {invoice.number or invoice.pk}: it is {invoice.state}, not open")
    at = now or timezone.now()
    book_for(
        invoice,
        _Kind.WRITE_OFF,
        account=account,
        cause=f"{invoice.pk}:{invoice.movements.count()}",
        legs={_Name.RECEIVABLE: invoice.left, _Name.BAD_DEBT: -invoice.left},
        operator=operator,
    )
    invoice.state, invoice.ended_at = _State.UNCOLLECTIBLE, at
    invoice.save(update_fields=["state", "ended_at"])
    return invoice
