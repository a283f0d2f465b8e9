"""Payments at Stripe become credit, once for each payment intent, whether an event or a poll reports it first."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction

from billing import ledger
from billing.models import StripeCall, StripePayment
from billing.stripe import customers, recharge
from billing.stripe.amounts import CURRENCY, from_cents

log = logging.getLogger(__name__)

_State = StripePayment.State
_Purpose = StripePayment.Purpose


def cause_of(stripe_id: str) -> str:
    """The cause of the ledger transaction that one of Stripe's objects books."""
    return f"stripe:{stripe_id}"


@transaction.atomic
def apply(intent: dict[str, Any]) -> None:
    """Bring a payment to what its payment intent says; one that is not of ours is left alone."""
    payment = _payment_of(intent)
    if payment is None:
        return
    if intent["status"] == "succeeded":
        _book(payment, intent)
    elif intent["status"] == "canceled":
        fail(payment, "it was canceled")
    elif payment.purpose == _Purpose.RECHARGE and intent["status"].startswith("requires_"):
        error = intent.get("last_payment_error") or {}
        fail(payment, error.get("decline_code") or error.get("code") or intent["status"])


@transaction.atomic
def apply_session(session: dict[str, Any]) -> None:
    """Bring a payment to what its Checkout session says, the payment intent being expanded in it."""
    if isinstance(session["payment_intent"], dict):
        apply(session["payment_intent"])
    if session["status"] == "expired":
        pending = StripePayment.objects.filter(id=_id_in(session), state=_State.PENDING)
        pending.update(state=_State.EXPIRED)


def fail(payment: StripePayment, reason: str) -> None:
    """Note that a payment will not come. A recharge that failed is the last one."""
    pending = StripePayment.objects.filter(id=payment.id, state=_State.PENDING)
    if pending.update(state=_State.FAILED, failure=reason[:200]) and payment.purpose == _Purpose.RECHARGE:
        recharge.note_failure(payment, reason)


def note_session(call: StripeCall, session: dict[str, Any]) -> None:
    """Nothing is paid yet: the page is the call's `url`."""


def note_payment_intent(call: StripeCall, intent: dict[str, Any]) -> None:
    apply(intent)


def refuse(call: StripeCall, error: stripe.StripeError) -> None:
    """Stripe took no money and will not: the card was declined, or what we asked makes no sense to it."""
    payment = StripePayment.objects.filter(id=_id_in(call.parameters)).first()
    if payment is not None:
        fail(payment, str(error.code or type(error).__name__))


def _payment_of(intent: dict[str, Any]) -> StripePayment | None:
    """The payment that an intent is of, its row locked. What is paid again becomes a payment of its own."""
    payments = StripePayment.objects.select_for_update(of=("self",)).select_related("organization")
    if (known := payments.filter(payment_intent=intent["id"]).first()) is not None:
        return known
    meant = payments.filter(id=_id_in(intent)).first()
    if meant is None or meant.payment_intent is None or intent["status"] != "succeeded":
        return meant
    log.error("payment %s was paid again, by %s: both are credited", meant.id, intent["id"])
    return StripePayment.objects.create(
        organization=meant.organization, purpose=_Purpose.TOP_UP, amount=meant.amount
    )


def _book(payment: StripePayment, intent: dict[str, Any]) -> None:
    if payment.state != _State.PAID:
        if intent["currency"] != CURRENCY:
            raise ValueError(f"{intent['id']}: paid in {intent['currency']}, and the ledger is in {CURRENCY}")
        payment.amount = from_cents(intent["amount_received"])
        payment.payment_intent = intent["id"]
        payment.movement = ledger.top_up(
            organization=payment.organization, amount=payment.amount, cause=cause_of(intent["id"])
        )
        payment.state = _State.PAID
        payment.save(update_fields=["amount", "payment_intent", "movement", "state"])
    method = intent.get("payment_method")
    if intent.get("setup_future_usage") and isinstance(method, dict):
        customers.save_card(customer=intent["customer"], payment_method=method)


def _id_in(thing: dict[str, Any]) -> UUID:
    """The payment named in the metadata; None for objects that other software made in the same account."""
    try:
        return UUID((thing.get("metadata") or {})["payment"])
    except (KeyError, ValueError):
        return UUID(int=0)
