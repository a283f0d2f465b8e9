"""The way to Stripe's page, which a browser goes only where the page's policy lets a form end up there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request

from billing.models import StripeCall, StripeCustomer, StripePayment
from tests.billing.stripe.world import KEY, SECRET
from tests.browser import chromium
from tests.console.people import Office
from tests.fakes.stripe_server import FakeStripe, serve
from tests.live import Service
from tests.security import services


@pytest.fixture
def website(django_db_setup: None, tmp_path: Path) -> Iterator[Service]:
    """A gateway that sells."""
    with serve(FakeStripe(key=KEY, webhook_secret=SECRET)) as address:
        stripe = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": address}
        selling = Service(tmp_path, **services.environment(), **stripe)
        try:
            selling.start_gateway()
            yield selling
        finally:
            selling.stop()


@pytest.fixture
def chrome(website: Service) -> Iterator[Browser]:
    """One for which Stripe is nowhere."""
    with chromium.chromium("--host-resolver-rules=MAP checkout.stripe.com 127.0.0.1:1") as browser:
        yield browser


@pytest.fixture
def swept(committed: None) -> Iterator[None]:
    yield
    for table in (StripePayment, StripeCustomer, StripeCall):
        table._default_manager.all().delete()


def test_a_top_up_leads_there(swept: None, shop: Office, page: Page) -> None:
    page.goto(shop.path("billing"))
    page.get_by_label("Amount (USD)", exact=True).fill("25")

    def is_stripes(request: Request) -> bool:
        return urlsplit(request.url).hostname == "checkout.stripe.com"

    # Nobody answers there for us; that the browser asks is what the policy decides.
    with page.expect_event("requestfailed", is_stripes):
        page.get_by_role("button", name="Pay with Stripe").click()
