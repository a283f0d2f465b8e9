"""Stripe is there: a double of it over HTTP, and the settings that name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from billing.models import (
    AutoRecharge,
    PromotionCode,
    Redemption,
    StripeCall,
    StripeCustomer,
    StripeDelivery,
    StripeEvent,
    StripePayment,
    StripeRefund,
)
from tests.billing.stripe.world import KEY, SECRET
from tests.fakes.stripe_server import FakeStripe, serve


@pytest.fixture
def swept(committed: None) -> Iterator[None]:
    """What other processes and threads see too; what can go is gone afterwards, and only the ledger stays."""
    yield
    for table in (
        Redemption, PromotionCode, AutoRecharge, StripeRefund, StripePayment, StripeCustomer, StripeCall,
        StripeEvent, StripeDelivery,
    ):  # fmt: skip
        table._default_manager.all().delete()


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeStripe]:
    stripe = FakeStripe(key=KEY, webhook_secret=SECRET)
    with serve(stripe) as address:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
        settings.STRIPE_API_BASE = address
        yield stripe
