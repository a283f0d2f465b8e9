"""Credit notes, which take back part or all of an issued invoice."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from billing.audit import Operator
from billing.booking import taken
from billing.invoices import dunning, numbers
from billing.invoices.amounts import is_whole_cents, to_cents
from billing.invoices.issuing import WrongState, book_for, find_for, locked
from billing.models import CreditNote, Invoice, LedgerEntry, LedgerTransaction

_Name = LedgerEntry.Name
_State = Invoice.State


@transaction.atomic
def issue(
    *,
    invoice_id: UUID,
    net: Decimal,
    cause: str,
    reason: str,
    now: datetime | None = None,
    operator: Operator | None = None,
) -> CreditNote:
    """Take back `net` dollars of what an invoice asked for, and the tax on them. It comes off what is left to
    pay; what was paid already becomes paid credit, which `ledger.pay_out` returns. A repeat of the cause changes
    nothing.

    Usage that credit had paid was not asked for: `ledger.refund` gives that back.

    Ledger: refunds -net, tax payable -tax, receivable +what was unpaid, customer credit +rest.

    Raises:
        ValueError: the amount is not above zero, not in whole cents, or more than is left of the invoice.
        CauseTaken: the cause names a credit note of another invoice, amount or reason.
        WrongState: the invoice is neither open nor paid.
    """
    at = now or timezone.now()
    account, invoice = locked(invoice_id)
    kind, moves = LedgerTransaction.Kind.CREDIT_NOTE, {_Name.REFUNDS: -net}
    if earlier := find_for(invoice, kind, cause, account=account, moves=moves, operator=operator):
        if earlier.credit_note.reason != reason:
            raise taken(earlier, f"with the reason {earlier.credit_note.reason!r}", f"with {reason!r}")
        return earlier.credit_note
    if invoice.state not in (_State.OPEN, _State.PAID):
        raise WrongState(f"invoice {invoice.number or invoice.pk}: it is {invoice.state}, neither open nor paid")
    if not reason:
        raise ValueError("reason: a credit note says why")
    before = invoice.credit_notes.aggregate(net=Sum("net", default=Decimal(0)), tax=Sum("tax", default=Decimal(0)))
    if net <= 0 or not is_whole_cents(net) or net > invoice.net - before["net"]:
        raise ValueError(
            f"amount: must be above zero, in whole cents, and at most ${invoice.net - before['net']:.2f}, "
            "which is left of the invoice"
        )
    # The share of all that was credited so far, so that the last note takes back what is left of the tax.
    tax = to_cents(invoice.tax * (before["net"] + net) / invoice.net) - before["tax"]
    total = net + tax
    unpaid = min(total, invoice.left)
    movement = book_for(
        invoice,
        LedgerTransaction.Kind.CREDIT_NOTE,
        account=account,
        cause=cause,
        legs={
            _Name.REFUNDS: -net,
            _Name.TAX_PAYABLE: -tax,
            _Name.RECEIVABLE: unpaid,
            _Name.CUSTOMER_CREDIT: total - unpaid,
        },
        operator=operator,
    )
    note = CreditNote.objects.create(
        invoice=invoice,
        number=numbers.take(numbers.CREDIT_NOTES, at=at),
        issued_at=at,
        reason=reason,
        net=net,
        tax=tax,
        total=total,
        unpaid=unpaid,
        transaction=movement,
    )
    if unpaid:
        invoice.credited += unpaid
        if not invoice.left:
            invoice.state, invoice.ended_at = _State.PAID, at
        invoice.save(update_fields=["credited", "state", "ended_at"])
        dunning.lift(account)
    return note
