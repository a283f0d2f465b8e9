"""All is real but Stripe: a webhook through the gateway, its effect by the worker, and what /metrics says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import httpx
import pytest
from django.conf import settings

from billing.models import Account, StripePayment
from billing.stripe import checkout
from launch.embedded import EmbeddedValkey, valkey_url
from tests.billing.stripe.world import KEY, PAGES, SECRET, new_payer
from tests.fakes.stripe_server import FakeStripe, public
from tests.live import Service, running_service, wait_for


@contextmanager
def stopping(server: EmbeddedValkey) -> Iterator[None]:
    yield
    server.stop()


@pytest.fixture
def selling(
    swept: None, servers: None, fake: FakeStripe, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service with Stripe's keys, and a broker of its own: the session's worker, without, must not get
    its tasks.
    """
    database = settings.DATABASES["default"]
    folder = tmp_path_factory.mktemp("selling")
    valkey = EmbeddedValkey(folder)
    valkey.start()
    with (
        stopping(valkey),
        running_service(
            folder,
            DATABASE_URL=f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}",
            REDIS_URL=valkey_url(folder),
            SECRET_KEY=settings.SECRET_KEY,
            API_KEY_PEPPERS=",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
            STRIPE_SECRET_KEY=KEY,
            STRIPE_WEBHOOK_SECRET=SECRET,
            STRIPE_API_BASE=settings.STRIPE_API_BASE,
        ) as service,
    ):
        yield service


def test_a_top_up_through_the_gateway_and_the_worker(selling: Service, fake: FakeStripe) -> None:
    organization = new_payer()
    url = checkout.top_up(organization=organization, amount=Decimal(20), save_card=False, **PAGES)
    fake.pay_page(url)
    address = f"{selling.url}/stripe/webhook"

    def send(body: bytes, signature: str) -> int:
        return httpx.post(address, content=body, headers={"stripe-signature": signature}).status_code

    event = json.dumps(public(fake.store.all("event")[0]))
    assert send(event.encode(), fake.sign(event + "forged")) == 400
    assert send(b"x" * 300_000, "t=1,v1=x") == 413
    fake.deliver(send)
    wait_for(lambda: StripePayment.objects.filter(organization=organization, state="paid").exists())
    assert Account.objects.get(organization=organization).balance == 20
    page = httpx.get(f"{selling.url}/metrics").text
    shown = dict(re.findall(r"^(speech_stripe_\w+) (\S+)$", page, re.MULTILINE))
    assert shown.keys() == {
        "speech_stripe_oldest_call_seconds",
        "speech_stripe_dead_calls",
        "speech_stripe_oldest_event_seconds",
        "speech_stripe_dead_events",
        "speech_stripe_differences",
        "speech_stripe_forged_deliveries_total",
        "speech_stripe_forged_deliveries_created",
    }
    assert shown["speech_stripe_dead_events"] == "0.0"
