"""Finalizing a draft, and taking back what was issued in error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing import audit
from billing.audit import Operator
from billing.booking import CauseTaken, book, find, lock
from billing.invoices import details, dunning, events, numbers, tax
from billing.invoices.tax import Tax
from billing.models import Account, BillingDetails, Invoice, InvoiceMovement, LedgerEntry, LedgerTransaction

_Kind = LedgerTransaction.Kind
_Name = LedgerEntry.Name
_State = Invoice.State


class WrongState(ValueError):
    """The invoice's state does not allow it."""


def locked(invoice_id: UUID) -> tuple[Account, Invoice]:
    """An invoice and its organization's account, both held until the transaction ends.

    Raises:
        Invoice.DoesNotExist: there is none of that id.
    """
    organization = Invoice.objects.select_related("organization").get(pk=invoice_id).organization
    account = lock(organization)
    return account, Invoice.objects.select_for_update(of=("self",)).select_related("organization").get(
        pk=invoice_id
    )


def find_for(
    invoice: Invoice,
    kind: LedgerTransaction.Kind,
    cause: str,
    *,
    account: Account,
    moves: Mapping[LedgerEntry.Name, Decimal],
    operator: Operator | None = None,
) -> LedgerTransaction | None:
    """What the cause booked earlier for this invoice, whose account is locked.

    Raises:
        CauseTaken: it booked something for another one, or of another amount or reason.
    """
    earlier = find(kind, cause, account, moves=moves, operator=operator)
    if earlier and earlier.of_invoice.invoice_id != invoice.pk:
        raise CauseTaken(f"{kind} {cause!r} is another invoice's")
    return earlier


def book_for(
    invoice: Invoice,
    kind: LedgerTransaction.Kind,
    *,
    account: Account,
    cause: str,
    legs: dict[LedgerEntry.Name, Decimal],
    operator: Operator | None = None,
    corrects: LedgerTransaction | None = None,
    owed: bool = False,
) -> LedgerTransaction:
    """Book a movement that belongs to an invoice. Legs of nothing are left out."""
    movement = book(
        kind,
        account=account,
        cause=cause,
        legs={name: amount for name, amount in legs.items() if amount},
        operator=operator,
        corrects=corrects,
        owed=owed,
    )
    InvoiceMovement.objects.create(transaction=movement, invoice=invoice)
    return movement


def finalize(*, invoice_id: UUID, now: datetime | None = None, operator: Operator | None = None) -> Invoice:
    """Issue a draft: it gets its tax, its number and its date, and its debt moves from the credit account, which
    is what the customer may spend by, to the receivables. A repeat changes nothing.

    Ledger: receivable -total, tax payable +tax, customer credit +due (exact), rounding the rest.

    The tax is asked for first: who finds it may be far away, and no lock waits for that.

    Raises:
        WrongState: the draft has no lines yet, or other ones than a moment ago.
        TaxUnknown: the tax cannot be found now.
    """
    draft = Invoice.objects.select_related("organization").get(pk=invoice_id)
    if draft.state != _State.DRAFT:
        return draft
    if not draft.priced_at:
        raise WrongState(f"invoice {draft.pk}: its month is not summed up yet; close it again")
    billed = details.of(draft.organization)
    return _issue(draft, billed, tax.of(draft, billed), now or timezone.now(), operator)


@transaction.atomic
def _issue(
    draft: Invoice, billed: BillingDetails, owed_tax: Tax, now: datetime, operator: Operator | None
) -> Invoice:
    account, invoice = locked(draft.pk)
    if invoice.state != _State.DRAFT:
        return invoice
    if invoice.net != draft.net:
        raise WrongState(f"invoice {invoice.pk}: it was summed up again meanwhile")
    invoice.tax, invoice.tax_percent, invoice.tax_note = owed_tax.amount, owed_tax.percent, owed_tax.note
    invoice.total = invoice.net + invoice.tax
    invoice.seller, invoice.customer = details.seller(), details.customer(billed)
    invoice.issued_at = now
    invoice.due_at = now + timedelta(days=billed.net_days)
    invoice.state = _State.OPEN if invoice.total else _State.PAID
    invoice.ended_at = None if invoice.total else now
    legs = {
        _Name.RECEIVABLE: -invoice.total,
        _Name.TAX_PAYABLE: invoice.tax,
        _Name.CUSTOMER_CREDIT: invoice.due_exact,
        _Name.ROUNDING: invoice.net - invoice.due_exact,
    }
    movement = None
    if any(legs.values()):
        movement = book_for(
            invoice, _Kind.INVOICE, account=account, cause=str(invoice.pk), legs=legs, operator=operator
        )
    invoice.number = numbers.take(numbers.INVOICES, at=now)  # last: whoever takes the next one waits for us
    invoice.save()
    events.publish(invoice, "issued", at=now)
    if operator and movement is None:
        audit.record(operator, what=f"invoice {invoice.number}: finalized")
    return invoice


@transaction.atomic
def void(*, invoice_id: UUID, now: datetime | None = None, operator: Operator) -> Invoice:
    """Take back an invoice of which nothing was paid or credited. Its usage is unbilled again, until
    `closing.bill_again`; to let a customer off, issue a credit note instead. A repeat changes nothing.

    The debt goes back to the credit account, even where the customer has spent its limit again: then the account's
    `overdraft` makes room for it.

    Raises:
        WrongState: it is a draft, was written off, or something of it was paid or credited.
    """
    account, invoice = locked(invoice_id)
    if invoice.state == _State.VOID:
        return invoice
    if invoice.state not in (_State.OPEN, _State.PAID) or invoice.paid or invoice.credited:
        raise WrongState(
            f"invoice {invoice.number or invoice.pk}: only one that nothing was paid of can be voided"
        )
    issue = invoice.movements.filter(transaction__kind=_Kind.INVOICE).first()
    movement = None
    if issue:
        movement = book_for(
            invoice,
            _Kind.CORRECTION,
            account=account,
            cause=f"void:{invoice.pk}",
            legs={_Name(leg.account): -leg.amount for leg in issue.transaction.entries.all()},
            operator=operator,
            corrects=issue.transaction,
            owed=True,
        )
    if movement is None:
        audit.record(operator, what=f"invoice {invoice.number}: voided")
    invoice.state, invoice.ended_at = _State.VOID, now or timezone.now()
    invoice.save(update_fields=["state", "ended_at"])
    dunning.lift(account)
    return invoice
