"""Money received for an invoice, money taken back, and money that will not come."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing.audit import Operator
from billing.booking import find, lock
from billing.invoices import dunning, events
from billing.invoices.amounts import is_whole_cents
from billing.invoices.issuing import WrongState, book_for, find_for, locked
from billing.models import Account, Invoice, LedgerEntry, LedgerTransaction

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
        CauseTaken: the cause names a payment of another invoice, amount or reason.
    """
    if amount <= 0 or not is_whole_cents(amount):
        raise ValueError("amount: must be above zero, in whole cents")
    account, invoice = locked(invoice_id)
    moves = {_Name.CASH: -amount}
    if earlier := find_for(invoice, _Kind.PAYMENT, cause, account=account, moves=moves, operator=operator):
        return earlier
    if invoice.state == _State.DRAFT:
        raise WrongState(f"invoice {invoice.pk}: a draft asks for nothing yet; finalize it first")
    return _take_in(account, invoice, _Kind.PAYMENT, amount, cause, at=now, operator=operator)


@transaction.atomic
def take_back(*, payment: LedgerTransaction, cause: str, operator: Operator | None = None) -> LedgerTransaction:
    """Book that a payment went back to the payer, as a bounced transfer does: the invoice is as unpaid as before
    it. What had become paid credit is owed, even where it is used. A repeat of the cause changes nothing.

    Raises:
        ValueError: it is no payment of an invoice, or was taken back before.
    """
    account = lock(payment.organization)
    if earlier := find(_Kind.CORRECTION, cause, account, moves={}, operator=operator, corrects=payment):
        return earlier
    if payment.kind != _Kind.PAYMENT or payment.corrections.exists():
        raise ValueError(f"payment: {payment.pk} is none, or went back before")
    amount = -payment.entries.get(account=_Name.CASH).amount
    return _give_up(account, payment, _Kind.CORRECTION, amount, cause, operator=operator, corrects=payment)


@transaction.atomic
def contest(*, payment: LedgerTransaction, amount: Decimal, cause: str) -> LedgerTransaction:
    """Book what a bank took back of a disputed payment. A repeat of the cause changes nothing."""
    account = lock(payment.organization)
    if earlier := find(_Kind.DISPUTE, cause, account, moves={_Name.CASH: amount}):
        return earlier
    return _give_up(account, payment, _Kind.DISPUTE, amount, cause)


@transaction.atomic
def win(*, dispute: LedgerTransaction, amount: Decimal, cause: str) -> LedgerTransaction:
    """Book what came back of a dispute: it is received for the invoice again, as that is by now."""
    account, invoice = locked(dispute.of_invoice.invoice_id)
    if earlier := find(_Kind.CORRECTION, cause, account, moves={_Name.CASH: -amount}, corrects=dispute):
        return earlier
    return _take_in(account, invoice, _Kind.CORRECTION, amount, cause, corrects=dispute)


def _take_in(
    account: Account,
    invoice: Invoice,
    kind: LedgerTransaction.Kind,
    amount: Decimal,
    cause: str,
    *,
    at: datetime | None = None,
    operator: Operator | None = None,
    corrects: LedgerTransaction | None = None,
) -> LedgerTransaction:
    applied = min(amount, invoice.left) if invoice.state != _State.VOID else Decimal(0)
    owed = _Name.BAD_DEBT if invoice.state == _State.UNCOLLECTIBLE else _Name.RECEIVABLE
    movement = book_for(
        invoice,
        kind,
        account=account,
        cause=cause,
        legs={_Name.CASH: -amount, owed: applied, _Name.CUSTOMER_CREDIT: amount - applied},
        operator=operator,
        corrects=corrects,
    )
    if applied:
        invoice.paid += applied
        if not invoice.left:
            invoice.state, invoice.ended_at = _State.PAID, at or timezone.now()
        invoice.save(update_fields=["paid", "state", "ended_at"])
        if invoice.state == _State.PAID:
            events.publish(invoice, "paid", step=str(movement.pk))
        dunning.lift(account)
    return movement


def _give_up(
    account: Account,
    payment: LedgerTransaction,
    kind: LedgerTransaction.Kind,
    amount: Decimal,
    cause: str,
    *,
    operator: Operator | None = None,
    corrects: LedgerTransaction | None = None,
) -> LedgerTransaction:
    """Undo `amount` of a payment: first what it paid of its invoice, then what had become paid credit."""
    _, invoice = locked(payment.of_invoice.invoice_id)
    legs = {_Name(leg.account): leg.amount for leg in payment.entries.all()}
    had_paid = legs.get(_Name.RECEIVABLE, Decimal(0)) + legs.get(_Name.BAD_DEBT, Decimal(0))
    unpaid = min(amount, had_paid, invoice.paid)
    written_off = invoice.state == _State.UNCOLLECTIBLE or (
        invoice.state == _State.PAID and _Name.BAD_DEBT in legs
    )
    movement = book_for(
        invoice,
        kind,
        account=account,
        cause=cause,
        legs={
            _Name.CASH: amount,
            _Name.BAD_DEBT if written_off else _Name.RECEIVABLE: -unpaid,
            _Name.CUSTOMER_CREDIT: unpaid - amount,
        },
        operator=operator,
        corrects=corrects,
        owed=True,
    )
    if unpaid:
        invoice.paid -= unpaid
        if invoice.state == _State.PAID:
            invoice.state, invoice.ended_at = _State.UNCOLLECTIBLE if written_off else _State.OPEN, None
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
