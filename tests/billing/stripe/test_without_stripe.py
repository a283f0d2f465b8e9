"""Where no key is set there is nothing of Stripe, and what went through it before is still proved."""

from __future__ import annotations

from decimal import Decimal

import pytest
from celery import current_app
from django.core.management import CommandError, call_command

from billing import promotions, tasks, verification
from billing.models import StripeCall, StripePayment
from tests.billing.books import account_of, new_organization
from tests.billing.stripe.world import new_payer, top_up
from tests.fakes.stripe_server import FakeStripe

pytestmark = pytest.mark.django_db


def test_nothing_runs_and_nothing_is_offered() -> None:
    StripeCall.objects.create(key="k", operation="customer.create", parameters={})
    tasks.send_stripe_calls()
    tasks.process_stripe_events()
    tasks.recharge_accounts()
    tasks.report_to_stripe_meter()
    tasks.reconcile_stripe()
    assert StripeCall.objects.get().attempts == 0
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY"):
        call_command("stripe", "catch-up")
    assert not [name for name in current_app.conf.beat_schedule if "stripe" in name]


def test_codes_are_redeemed_without_stripe() -> None:
    organization = new_organization()
    promotions.create(code="WELCOME", amount=Decimal(5), max_redemptions=1)
    promotions.redeem(organization=organization, code="WELCOME")
    assert account_of(organization).balance == 5


def test_a_payment_that_is_not_what_was_booked_is_found(fake: FakeStripe) -> None:
    payment = top_up(fake, new_payer())
    assert verification.verify().clean
    StripePayment.objects.filter(pk=payment.pk).update(amount=19)
    (wrong,) = [finding for finding in verification.verify().findings if finding.count]
    assert (wrong.name, wrong.drift) == ("stripes_money_is_booked", 1)
    assert wrong.first == [f"payment {payment.pk}: -1.000000000"]
