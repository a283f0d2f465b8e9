"""Deliveries: stored whoever sends them, believed only when signed, and each event with its effect once."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from billing.models import StripeDelivery, StripeEvent
from billing.stripe import webhooks
from tests.billing.books import account_of
from tests.billing.stripe.world import SECRET, let_pass, new_payer, page_of, post, run, soon, top_up
from tests.fakes.stripe_server import FakeStripe

pytestmark = pytest.mark.django_db


def event(type: str = "payment_intent.succeeded", subject: str = "pi_1") -> str:
    return json.dumps(
        {
            "id": "evt_1",
            "object": "event",
            "type": type,
            "created": int(time.time()),
            "data": {"object": {"id": subject, "object": "payment_intent"}},
        }
    )


def test_only_what_stripe_signed_is_believed(fake: FakeStripe) -> None:
    from stripe import WebhookSignature as Signature

    body = event()
    forged = {
        "no signature": "",
        "nonsense": "t=1,v1=zz",
        "another secret": Signature.generate_signature_header(body, "whsec_other"),
        "another body": fake.sign(body + " "),
        "too old": Signature.generate_signature_header(body, SECRET, int(time.time()) - 400),
    }
    for signature in forged.values():
        assert post(body.encode(), signature) == 400
    assert StripeDelivery.objects.filter(verified=False).count() == len(forged)
    assert not StripeEvent.objects.exists()


def test_a_signed_body_that_is_no_event_is_refused(fake: FakeStripe) -> None:
    for body in ("[]", "{}", "null", "not JSON", '{"id": "evt_1", "type": "x"}'):
        assert post(body.encode(), fake.sign(body)) == 400
    assert post(b"\xff\x00" * 100_000, "t=1,v1=zz") == 400
    assert max(len(delivery.body) for delivery in StripeDelivery.objects.all()) <= webhooks.FORGED_LENGTH
    assert not StripeEvent.objects.exists()


def test_a_type_that_nobody_handles_is_acknowledged(fake: FakeStripe) -> None:
    body = event("radar.early_fraud_warning.created")
    assert post(body.encode(), fake.sign(body)) == 204
    assert StripeEvent.objects.get().state == "ignored"
    assert webhooks.process_due() == 0


def test_without_stripe_there_is_no_such_address(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert post(b"{}", "t=1,v1=zz") == 404
    assert Client().get("/stripe/webhook").status_code == 405


def test_an_event_whose_effect_failed_is_tried_again_and_replayed(
    fake: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = new_payer()
    fake.pay_page(page_of(organization))
    body = event(subject="pi_unknown")
    assert post(body.encode(), fake.sign(body)) == 204
    for _ in range(webhooks.MOST_ATTEMPTS + 2):
        webhooks.process_due()
        let_pass(fake, soon() * 10)
    lost = StripeEvent.objects.get(id="evt_1")
    assert (lost.state, lost.attempts, lost.error) == ("dead", webhooks.MOST_ATTEMPTS, "InvalidRequestError")
    with pytest.raises(CommandError, match="InvalidRequestError"):
        call_command("stripe", "replay", "evt_1")
    intent = fake.store.all("payment_intent")[0]
    StripeEvent.objects.update(subject=intent["id"])
    call_command("stripe", "replay", "evt_1")
    assert StripeEvent.objects.get(id="evt_1").state == "done"
    assert account_of(organization).balance == 20


def test_an_event_that_never_came_is_fetched(fake: FakeStripe) -> None:
    first, second = new_payer(), new_payer()
    for organization in (first, second):
        fake.pay_page(page_of(organization))
    told, fake.store.undelivered = fake.store.undelivered, []
    call_command("stripe", "replay", told[0]["id"])
    assert account_of(first).balance == 20
    call_command("stripe", "catch-up")
    assert account_of(second).balance == 20
    with pytest.raises(CommandError, match="InvalidRequestError"):
        call_command("stripe", "replay", "evt_nowhere")


def test_an_old_state_in_an_event_does_not_bring_it_back(fake: FakeStripe) -> None:
    """The event says where to look, not what is there."""
    organization = new_payer()
    url = page_of(organization)
    fake.pay_page(url, fake.new_card("card_declined"))
    late, fake.store.undelivered = fake.store.undelivered, []
    fake.pay_page(url)
    run(fake)
    fake.store.undelivered = late
    run(fake)
    assert account_of(organization).balance == 20


def test_forged_deliveries_are_kept_for_a_week(fake: FakeStripe) -> None:
    top_up(fake, new_payer())
    post(b"{}", "t=1,v1=zz")
    assert webhooks.purge_forged() == 0
    StripeDelivery.objects.update(received_at="2026-01-01T00:00:00Z")
    assert webhooks.purge_forged() == 1
    assert StripeDelivery.objects.exists()
