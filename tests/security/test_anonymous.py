"""Whoever is unknown is counted and leaves no row: the disk does not fill with what anybody can send."""

from __future__ import annotations

import re

import httpx
import pytest
from django.test import Client, override_settings

from billing.models import StripeDelivery
from billing.stripe import webhooks
from gateway import stripe_webhook
from tests.conftest import Customer
from tests.live import Service, wait_for
from usage.models import RequestLog


def anonymous(service: Service) -> dict[tuple[str, str], float]:
    """Calls by route and status, as /metrics counts them."""
    lines = httpx.get(f"{service.url}/metrics").text
    found = re.findall(
        r'^speech_anonymous_requests_total\{route="(.*)",status="(.*)"\} (\S+)$', lines, re.MULTILINE
    )
    return {(route, status): float(count) for route, status, count in found}


def test_calls_of_nobody_known_are_counted_and_not_logged(service: Service, customer: Customer) -> None:
    nobodys = RequestLog.objects.filter(organization_id=None)
    before, rows = anonymous(service), nobodys.count()
    for number in range(5):
        httpx.post(f"{service.url}/v1/no-such-{number}")
        httpx.post(f"{service.url}/v1/audio/speech", headers={"authorization": "Bearer sk-no-such-key"})
    after = anonymous(service)
    for call in (("unknown", "404"), ("/v1/audio/speech", "401")):
        assert after[call] - before.get(call, 0) == 5
    assert after.keys() - before.keys() <= {("unknown", "404"), ("/v1/audio/speech", "401")}
    # Rows are written in order: once a known caller's is there, none of the others will come.
    httpx.get(f"{service.url}/v1/usage", headers=customer.headers)
    wait_for(lambda: RequestLog.objects.filter(organization_id=customer.organization.id).exists())
    assert nobodys.count() == rows
    assert not nobodys.filter(route="unknown").exists()


@pytest.mark.django_db
@override_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET="whsec_x")
def test_forged_webhooks_are_counted_and_only_the_last_are_kept() -> None:
    before = stripe_webhook.FORGED._value.get()
    for number in range(webhooks.FORGED_MOST + 20):
        answer = Client().post(
            "/stripe/webhook", f"forged {number}".encode(), "application/json", HTTP_STRIPE_SIGNATURE="t=1,v1=00"
        )
        assert answer.status_code == 400
    assert stripe_webhook.FORGED._value.get() - before == webhooks.FORGED_MOST + 20
    kept = StripeDelivery.objects.filter(verified=False)
    assert kept.count() == webhooks.FORGED_MOST
    assert kept.filter(body=f"forged {webhooks.FORGED_MOST + 19}").exists(), "the last ones are kept"
    assert not kept.filter(body="forged 0").exists()
