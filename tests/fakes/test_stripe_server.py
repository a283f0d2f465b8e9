"""The double refuses what Stripe's own package does not know, and remembers what Stripe would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import stripe

from tests.fakes.stripe.schema import decode_form
from tests.fakes.stripe_server import API_VERSION, FakeStripe, serve


@pytest.fixture
def fake() -> FakeStripe:
    return FakeStripe(key="sk_test_1", webhook_secret="whsec_1")


@pytest.fixture
def client(fake: FakeStripe) -> Iterator[stripe.StripeClient]:
    with serve(fake) as address:
        yield stripe.StripeClient(
            "sk_test_1", stripe_version=API_VERSION, base_addresses={"api": address}, max_network_retries=0
        )


def test_forms_are_read_as_stripe_reads_them() -> None:
    assert decode_form("a=1&b[c]=2&d[0][e]=3&d[1][e]=4&f[0]=5") == {
        "a": "1",
        "b": {"c": "2"},
        "d": [{"e": "3"}, {"e": "4"}],
        "f": ["5"],
    }


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"nome": "A"}, "unknown parameter: nome"),
        ({"address": {"stret": "A"}}, r"unknown parameter: address\[stret\]"),
        ({"balance": "much"}, "Invalid balance"),
    ],
)
def test_only_members_that_the_package_knows_are_taken(
    client: stripe.StripeClient, parameters: Any, complaint: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=complaint):
        client.v1.customers.create(parameters)


def test_what_must_be_there_is_demanded(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: payload"):
        client.v1.billing.meter_events.create({"event_name": "e"})  # type: ignore[typeddict-item]


def test_no_more_than_twelve_decimal_places(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create()
    invoice = client.v1.invoices.create({"customer": customer.id})
    line: Any = {"quantity_decimal": "1.0000000000001", "price_data": {"currency": "usd"}}
    with pytest.raises(stripe.InvalidRequestError, match="12 decimal places"):
        client.v1.invoices.add_lines(invoice.id, {"lines": [line]})


def test_a_key_is_remembered_for_a_day(client: stripe.StripeClient, fake: FakeStripe) -> None:
    def create(name: str) -> str:
        return client.v1.customers.create({"name": name}, {"idempotency_key": "k"}).id

    first = create("A")
    assert create("A") == first
    with pytest.raises(stripe.IdempotencyError):
        create("B")
    fake.age(timedelta(hours=30))
    assert create("B") != first


def test_faults_come_on_demand(client: stripe.StripeClient, fake: FakeStripe) -> None:
    expected = {
        "lost before": (stripe.APIConnectionError, 0),
        "409": (stripe.APIError, 0),
        "429": (stripe.RateLimitError, 0),
        "500 before": (stripe.APIError, 0),
        "500 after": (stripe.APIError, 1),
        "lost after": (stripe.APIConnectionError, 1),
    }
    for fault, (error, made) in expected.items():
        before = len(fake.store.all("customer"))
        fake.faults.append(fault)  # type: ignore[arg-type]
        with pytest.raises(error):
            client.v1.customers.create({}, {"idempotency_key": fault})
        assert len(fake.store.all("customer")) == before + made
    with pytest.raises(stripe.APIError):  # the 500 is what it remembers
        client.v1.customers.create({}, {"idempotency_key": "500 after"})


def test_another_version_or_key_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="version"):
        client.v1.customers.list(options={"stripe_version": "2020-08-27"})
    with pytest.raises(stripe.AuthenticationError):
        client.v1.customers.list(options={"api_key": "sk_test_2"})
