"""Stripe is there: a double of it over HTTP, and the settings that name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.billing.stripe.world import KEY, SECRET
from tests.fakes.stripe_server import FakeStripe, serve


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeStripe]:
    stripe = FakeStripe(key=KEY, webhook_secret=SECRET)
    with serve(stripe) as address:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
        settings.STRIPE_API_BASE = address
        yield stripe
