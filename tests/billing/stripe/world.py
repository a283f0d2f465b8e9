"""What happens around Stripe in a test: webhooks that arrive, tasks that run, time that passes."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from django.db.models import F
from django.test import Client

from accounts.models import Membership, Organization, User
from billing.models import Account, Invoice, StripeCall, StripeCustomer, StripeEvent, StripePayment
from billing.stripe import checkout, sending, webhooks
from tests.billing.books import new_organization
from tests.billing.invoices import months_of_use
from tests.fakes.stripe.store import Thing
from tests.fakes.stripe_server import FakeStripe

KEY, SECRET = "sk_test_1234", "whsec_5678"
PAGES = {"success_url": "https://speech.example/paid", "cancel_url": "https://speech.example/credit"}
MINUTE, DAY_AND_MORE = timedelta(minutes=1), timedelta(hours=30)


def new_payer(**credit: str) -> Organization:
    """An organization with an owner whom one can write to."""
    organization = new_organization(**credit)
    owner = User.objects.create_user(f"{organization.pk}@example.com")
    Membership.objects.create(organization=organization, user=owner, role=Membership.Role.OWNER)
    return organization


def post(body: bytes, signature: str) -> int:
    """A delivery to the webhook's address, through Django's whole stack."""
    answer = Client(enforce_csrf_checks=True).post(
        "/stripe/webhook", body, content_type="application/json", headers={"stripe-signature": signature}
    )
    return answer.status_code


def run(fake: FakeStripe, *, chaos: random.Random | None = None) -> None:
    """Send what is due, deliver what happened, and give it its effect."""
    sending.send_due()
    fake.deliver(post, chaos=chaos)
    webhooks.process_due()


def let_pass(fake: FakeStripe, by: timedelta) -> None:
    """Let time pass, at Stripe and here."""
    fake.age(by)
    StripeCall.objects.update(
        created_at=F("created_at") - by, next_try_at=F("next_try_at") - by, first_tried_at=F("first_tried_at") - by
    )
    StripeEvent.objects.update(next_try_at=F("next_try_at") - by)


def page_of(organization: Organization, dollars: str = "20.00", *, save_card: bool = False) -> str:
    return checkout.top_up(organization=organization, amount=Decimal(dollars), save_card=save_card, **PAGES)


def top_up(fake: FakeStripe, organization: Organization, dollars: str = "20.00") -> StripePayment:
    """A top-up that was paid and told."""
    intent = fake.pay_page(page_of(organization, dollars))
    run(fake)
    return StripePayment.objects.get(payment_intent=intent["id"])


def save_card(fake: FakeStripe, organization: Organization, does: str = "pays") -> Thing:
    """A card that the customer saved on Stripe's page."""
    card = fake.new_card(does)
    url = checkout.save_card(organization=organization, request_id=card["id"], **PAGES)
    fake.pay_page(url, card)
    run(fake)
    assert StripeCustomer.objects.get(organization=organization).payment_method == card["id"]
    return card


def invoice_of(organization: Organization, dollars: str = "5.55") -> Invoice:
    """An issued invoice of ours that asks for so much."""
    Account.objects.filter(organization=organization).update(credit_limit=Decimal(1_000_000))
    months_of_use.use(organization, 60_000, price=Decimal(dollars))
    return months_of_use.issue(organization)


def soon() -> timedelta:
    """Later than anything that is put off for now."""
    return timedelta(hours=2)
