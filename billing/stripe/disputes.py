"""A bank that contests a payment takes its money at once, and gives it back where the dispute is won.

What moves is what Stripe's balance transactions of the dispute say, each booked once under its own id; so it does
not matter which of the dispute's events comes first. One that is lost moves nothing more: the money left when it
was opened. An inquiry, which takes no money, books nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from billing import ledger
from billing.invoices import payments
from billing.models import LedgerTransaction, StripeDispute, StripePayment
from billing.stripe import recharge
from billing.stripe.amounts import from_cents
from billing.stripe.payments import cause_of

_Purpose = StripePayment.Purpose


@transaction.atomic
def apply(dispute: dict[str, Any]) -> None:
    """Bring a dispute to what Stripe says; one of a payment that is not ours is left alone."""
    ours = StripePayment.objects.select_for_update(of=("self",)).select_related("organization", "movement")
    payment = ours.filter(payment_intent=dispute["payment_intent"], state=StripePayment.State.PAID).first()
    if payment is None:
        return
    _, fresh = StripeDispute.objects.update_or_create(
        stripe_id=dispute["id"],
        defaults={
            "payment": payment,
            "amount": from_cents(dispute["amount"]),
            "status": dispute["status"],
            "reason": dispute["reason"],
        },
    )
    if fresh:
        recharge.stop(organization=payment.organization, because="a payment was disputed")
    taken: LedgerTransaction | None = None
    for moved in sorted(dispute["balance_transactions"], key=lambda moved: int(moved["amount"])):
        amount, cause = from_cents(abs(moved["amount"])), cause_of(moved["id"])
        if moved["amount"] < 0:
            taken = _take(payment, amount, cause)
        elif taken is not None:
            _return(payment, taken, amount, cause)


def _take(payment: StripePayment, amount: Decimal, cause: str) -> LedgerTransaction:
    if payment.purpose == _Purpose.INVOICE:
        return payments.contest(payment=payment.booked(), amount=amount, cause=cause)
    return ledger.take_back(organization=payment.organization, amount=amount, cause=cause, disputed=True)


def _return(payment: StripePayment, taken: LedgerTransaction, amount: Decimal, cause: str) -> None:
    if payment.purpose == _Purpose.INVOICE:
        payments.win(dispute=taken, amount=amount, cause=cause)
    else:
        ledger.give_back(of=taken, amount=amount, cause=cause)
