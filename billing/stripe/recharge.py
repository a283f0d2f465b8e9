"""Automatic recharge: the saved card is charged when the balance falls below what the customer named.

One charge at a time, by a unique index; never more in a month than the ceiling, by a conditional UPDATE; and none
after one that failed, until the customer turns it on again.
"""

from __future__ import annotations

import logging
from datetime import UTC, date
from decimal import Decimal

from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import Case, Exists, F, OuterRef, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import Organization
from billing.models import Account, AutoRecharge, StripeCustomer, StripePayment
from billing.stripe import customers, outbox
from billing.stripe.amounts import CURRENCY, to_cents, to_charge

log = logging.getLogger(__name__)

# As a subquery, not as a join: what the UPDATE itself looks at is looked at again once it has the row's lock.
_LOW = Account.objects.filter(organization=OuterRef("organization"), balance__lt=OuterRef("threshold"))
_IN_FLIGHT = "stripe_payment_one_recharge_in_flight"


class NoCard(Exception):
    """There is no saved card to charge."""


def put(
    *, organization: Organization, threshold: Decimal, amount: Decimal, monthly_ceiling: Decimal
) -> AutoRecharge:
    """Turn automatic recharge on, anew or again, with these dollars.

    Raises:
        NoCard: the organization saved none.
        ValueError: a value is not whole cents, the amount too small or too large, or the ceiling below it.
    """
    if to_cents(threshold) < 0:
        raise ValueError("threshold: not below zero")
    if to_cents(monthly_ceiling) < to_charge(amount):
        raise ValueError(f"monthly_ceiling: at least the amount, ${amount}")
    if not StripeCustomer.objects.filter(organization=organization).exclude(payment_method="").exists():
        raise NoCard
    order, _ = AutoRecharge.objects.update_or_create(
        organization=organization,
        defaults={
            "threshold": threshold,
            "amount": amount,
            "monthly_ceiling": monthly_ceiling,
            "stopped_at": None,
            "stopped_because": "",
        },
        create_defaults={
            "threshold": threshold,
            "amount": amount,
            "monthly_ceiling": monthly_ceiling,
            "month": _month(),
        },
    )
    return order


def stop(*, organization: Organization, because: str) -> bool:
    """Turn it off; False where it was off."""
    running = AutoRecharge.objects.filter(organization=organization, stopped_at=None)
    return bool(running.update(stopped_at=timezone.now(), stopped_because=because[:200]))


def run_due() -> int:
    """Charge the cards of those below their threshold; returns how many charges were begun."""
    low = AutoRecharge.objects.filter(Exists(_LOW), stopped_at=None, organization__suspended_at=None)
    return sum(_begin(order) for order in low.select_related("organization").order_by("organization"))


def note_failure(payment: StripePayment, reason: str) -> None:
    """Stop after a failed charge, release its part of the monthly limit, and e-mail those who pay."""
    AutoRecharge.objects.filter(organization=payment.organization_id, month=_month(of=payment)).update(
        charged=Greatest(F("charged") - payment.amount, Value(Decimal(0)))
    )
    if stop(organization=payment.organization, because=reason):
        transaction.on_commit(lambda: _tell(payment.organization, payment.amount), robust=True)


def _begin(order: AutoRecharge) -> bool:
    """Whether a charge was begun. The UPDATE and the unique index decide between concurrent callers."""
    month = _month()
    card = StripeCustomer.objects.filter(organization=order.organization_id).exclude(payment_method="").first()
    if card is None:
        return False
    charged = Case(When(month=month, then=F("charged")), default=Value(Decimal(0)))
    try:
        with transaction.atomic():
            within = AutoRecharge.objects.filter(
                organization=order.organization_id,
                stopped_at=None,
                amount=order.amount,
                monthly_ceiling__gte=charged + order.amount,
            ).filter(Exists(_LOW))
            if not within.update(charged=charged + order.amount, month=month):
                return False
            _charge(order, card)
    except IntegrityError as error:
        if _IN_FLIGHT not in str(error):
            raise
        return False
    return True


def _charge(order: AutoRecharge, card: StripeCustomer) -> None:
    payment = StripePayment.objects.create(
        organization=order.organization, purpose=StripePayment.Purpose.RECHARGE, amount=order.amount
    )
    outbox.put(
        key=f"recharge:{payment.pk}",
        operation="payment_intent.create",
        parameters={
            "amount": to_cents(order.amount),
            "currency": CURRENCY,
            "customer": card.stripe_id,
            "payment_method": card.payment_method,
            "off_session": True,
            "confirm": True,
            "description": "Speech credit, recharged automatically",
            "metadata": {"payment": str(payment.pk), "organization": str(order.organization_id)},
        },
    )


def _tell(organization: Organization, amount: Decimal) -> None:
    send_mail(
        "Your automatic recharge did not go through",
        f"We could not charge {organization.name}'s saved card ${amount:.2f}, and will not try again.\n\n"
        "Your remaining credit is still there. To go on without a break, top up by hand or save another card, "
        "then turn automatic recharge on again.\n",
        None,
        customers.addresses_of(organization),
    )


def _month(of: StripePayment | None = None) -> date:
    moment = of.created_at if of else timezone.now()
    return moment.astimezone(UTC).date().replace(day=1)
