"""Paying and saving a card on Stripe's own page."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from accounts.models import Organization
from billing.models import StripeCall, StripePayment
from billing.stripe import customers, outbox, sending
from billing.stripe.amounts import CURRENCY, to_charge


class StripeUnavailable(Exception):
    """Stripe did not open the page now. Nothing was charged."""


def top_up(
    *, organization: Organization, amount: Decimal, save_card: bool, success_url: str, cancel_url: str
) -> str:
    """Open a page on which the customer pays for credit; returns its address.

    The credit comes with Stripe's word that it was paid (see `handlers`), not with the return to `success_url`.

    Raises:
        ValueError: the amount has a fraction of a cent, or is too small or too large.
        StripeUnavailable: try again.
    """
    cents = to_charge(amount)
    with transaction.atomic():
        payment = StripePayment.objects.create(
            organization=organization, purpose=StripePayment.Purpose.TOP_UP, amount=amount
        )
        metadata = {"payment": str(payment.pk), "organization": str(organization.pk)}
        customer = customers.ensure(organization, awaited=True)
        session = outbox.put(
            key=f"checkout:{payment.pk}",
            operation="checkout.create",
            parameters={
                "mode": "payment",
                "customer": outbox.id_of(customer.key),
                "client_reference_id": str(payment.pk),
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": CURRENCY,
                            "unit_amount": cents,
                            "product_data": {"name": "Speech credit"},
                        },
                    }
                ],
                "payment_intent_data": {
                    "metadata": metadata,
                    **({"setup_future_usage": "off_session"} if save_card else {}),
                },
                "metadata": metadata,
                "success_url": success_url,
                "cancel_url": cancel_url,
            },
            awaited=True,
        )
    return _open(customer, session)


def save_card(*, organization: Organization, request_id: str, success_url: str, cancel_url: str) -> str:
    """Open a page on which the customer saves a card; returns its address. A repeat of `request_id` is the same.

    Raises:
        StripeUnavailable: try again.
    """
    with transaction.atomic():
        customer = customers.ensure(organization, awaited=True)
        session = outbox.put(
            key=f"card:{organization.pk}:{request_id}",
            operation="checkout.create",
            parameters={
                "mode": "setup",
                "currency": CURRENCY,
                "customer": outbox.id_of(customer.key),
                "metadata": {"organization": str(organization.pk)},
                "success_url": success_url,
                "cancel_url": cancel_url,
            },
            awaited=True,
        )
    return _open(customer, session)


def _open(customer: StripeCall, session: StripeCall) -> str:
    sending.send_now(customer, session)
    session.refresh_from_db(fields=["url"])
    if not session.url:
        raise StripeUnavailable
    return session.url
