"""Money back to the card: the credit is taken when it is asked for, and given back where Stripe cannot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from accounts.identifiers import new_id
from billing import ledger
from billing.audit import Operator
from billing.models import LedgerTransaction, StripeCall, StripePayment, StripeRefund
from billing.stripe import outbox
from billing.stripe.amounts import from_cents, to_cents
from billing.stripe.payments import cause_of

_State = StripeRefund.State


@transaction.atomic
def request(*, payment: StripePayment, amount: Decimal, cause: str, operator: Operator) -> StripeRefund:
    """Pay unused credit back to the card that it came from. A repeat of `cause` returns the first one.

    Raises:
        InsufficientCredit: it is used, or held by running jobs.
        ValueError: the payment has not as much left to give back.
        CauseTaken: the cause names a refund of another amount or reason.
    """
    cents = to_cents(amount)
    named = f"stripe-refund:{cause}"
    # The row's lock is what a repeat at the same time waits for.
    StripePayment.objects.select_for_update().get(id=payment.id)
    earlier = StripeRefund.objects.filter(
        movement__kind=LedgerTransaction.Kind.PAYOUT, movement__cause=named, payment=payment
    ).first()
    if earlier is not None:
        # Books nothing, and refuses a repeat that asks for another amount or gives another reason.
        ledger.pay_out(organization=payment.organization, amount=amount, cause=named, operator=operator)
        return earlier
    refundable = StripePayment.objects.filter(
        id=payment.id, state=StripePayment.State.PAID, invoice=None, amount__gte=F("returned") + amount
    )
    if cents <= 0 or not refundable.update(returned=F("returned") + amount):
        raise ValueError("amount: above zero, and no more than what is left of a paid top-up")
    movement = ledger.pay_out(organization=payment.organization, amount=amount, cause=named, operator=operator)
    refund = StripeRefund.objects.create(payment=payment, amount=amount, movement=movement)
    outbox.put(
        key=f"refund:{refund.pk}",
        operation="refund.create",
        parameters={
            "payment_intent": payment.payment_intent,
            "amount": cents,
            "reason": "requested_by_customer",
            "metadata": {"refund": str(refund.pk)},
        },
    )
    return refund


@transaction.atomic
def apply(refund: dict[str, Any]) -> None:
    """Bring a refund to what Stripe says, be it one of ours or one that was made in Stripe's dashboard."""
    row = _row_of(refund)
    if row is None:
        return
    if row.stripe_id is None:
        StripeRefund.objects.filter(id=row.id).update(stripe_id=refund["id"])
    if refund["status"] == "succeeded":
        StripeRefund.objects.filter(id=row.id, state=_State.PENDING).update(state=_State.SUCCEEDED)
    elif refund["status"] in ("failed", "canceled"):
        _fail(row)


def note_refund(call: StripeCall, refund: dict[str, Any]) -> None:
    apply(refund)


def refuse(call: StripeCall, error: stripe.StripeError) -> None:
    _fail(StripeRefund.objects.select_related("movement").get(id=UUID(call.parameters["metadata"]["refund"])))


def _row_of(refund: dict[str, Any]) -> StripeRefund | None:
    refunds = StripeRefund.objects.select_related("movement")
    ours = (refund.get("metadata") or {}).get("refund")
    if ours and (row := refunds.filter(id=ours).first()):
        return row
    paid = StripePayment.objects.select_for_update(of=("self",)).filter(state=StripePayment.State.PAID)
    payment = paid.select_related("organization").filter(payment_intent=refund["payment_intent"]).first()
    if payment is None:
        return None
    return refunds.filter(stripe_id=refund["id"]).first() or _adopt(payment, refund)


def _adopt(payment: StripePayment, refund: dict[str, Any]) -> StripeRefund:
    """Book a refund that somebody made at Stripe itself."""
    amount = from_cents(refund["amount"])
    movement = ledger.take_back(organization=payment.organization, amount=amount, cause=cause_of(refund["id"]))
    StripePayment.objects.filter(id=payment.id).update(returned=Least(F("returned") + amount, F("amount")))
    return StripeRefund.objects.create(
        id=new_id(), payment=payment, amount=amount, movement=movement, stripe_id=refund["id"]
    )


def _fail(row: StripeRefund) -> None:
    """The money did not leave, or came back: so does the credit."""
    if StripeRefund.objects.filter(id=row.id).exclude(state=_State.FAILED).update(state=_State.FAILED):
        ledger.give_back(of=row.movement, amount=row.amount, cause=f"stripe-refund:{row.pk}:failed")
        StripePayment.objects.filter(id=row.payment_id).update(returned=F("returned") - row.amount)
