"""The outbox: one row a key, sent in order, by whoever waits or else by a worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.models import StripeCall
from billing.stripe import customers, outbox, sending
from tests.billing.stripe.world import MINUTE, let_pass, new_payer, soon
from tests.fakes.stripe_server import FakeStripe

pytestmark = pytest.mark.django_db


def put(name: str, **options: Any) -> StripeCall:
    return outbox.put(
        key=f"customer:{name}",
        operation="customer.create",
        parameters={"name": name, "metadata": {"organization": "019a0000-0000-7000-8000-000000000000"}},
        **options,
    )


def test_a_key_is_one_row_and_one_request(fake: FakeStripe) -> None:
    assert put("a") == put("a")
    assert (sending.send_due(), sending.send_due()) == (1, 0)
    (customer,) = fake.store.all("customer")
    assert customer["metadata"]["call"] == "customer:a"


def test_what_somebody_waits_for_is_left_to_him(fake: FakeStripe) -> None:
    call = put("a", awaited=True)
    assert sending.send_due() == 0
    sending.send_now(call)
    assert StripeCall.objects.get().state == "sent"
    put("b", awaited=True)
    let_pass(fake, MINUTE)
    assert sending.send_due() == 1


def test_a_call_waits_for_those_whose_ids_it_needs(fake: FakeStripe) -> None:
    organization = new_payer()
    customer = customers.ensure(organization)
    outbox.put(
        key="invoice:1",
        operation="invoice.create",
        parameters={
            "customer": outbox.id_of(customer.key),
            "metadata": {"invoice": "019a0000-0000-7000-8000-000000000000"},
        },
    )
    fake.faults.append("429")
    assert sending.send_due() == 1
    let_pass(fake, soon())
    assert sending.send_due() == 2
    (invoice,) = fake.store.all("invoice")
    assert invoice["customer"] == fake.store.all("customer")[0]["id"]


def test_a_call_is_put_off_and_never_given_up(fake: FakeStripe) -> None:
    put("a")
    for attempt in range(1, 15):
        fake.faults.append("429")
        assert sending.send_due() == 1
        call = StripeCall.objects.get()
        assert (call.state, call.attempts, call.error) == ("pending", attempt, "RateLimitError 429")
        assert call.first_tried_at is not None
        assert sending.send_due() == 0
        let_pass(fake, timedelta(hours=1))
    let_pass(fake, soon())
    sending.send_due()
    assert StripeCall.objects.get().state == "sent"


def test_a_key_that_was_used_for_something_else_is_for_a_person(fake: FakeStripe) -> None:
    call = put("a")
    fake.faults.append("lost after")
    sending.send_due()
    StripeCall.objects.update(parameters={**call.parameters, "name": "another"})
    let_pass(fake, soon())
    sending.send_due()
    call.refresh_from_db()
    assert (call.state, call.error) == ("dead", "IdempotencyError 400")
