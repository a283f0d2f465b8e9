"""The alerts page: thresholds, webhooks with a secret shown once, and what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from billing import budgets, tasks
from billing.alerts import rules
from billing.alerts.rules import Rules
from billing.models import Budget
from tests.billing.alerts.world import Receiver, receiving, spend
from tests.billing.books import FRAME
from tests.console.people import Office, browser
from webhooks import endpoints
from webhooks import tasks as outgoing
from webhooks.models import Delivery, WebhookEndpoint

RULES = {"percents": "80, 50%", "budget_email": "on", "credit": "12.50"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def path(of: Office, name: str = "alerts", **ids: Any) -> str:
    return reverse(name, kwargs={"organization": of.organization.id, **ids})


def acts(of: Office) -> list[tuple[str, str, dict[str, Any]]]:
    events = AuditEvent.objects.filter(organization_id=of.organization.id).exclude(action="organization.created")
    return list(events.order_by("id").values_list("action", "subject", "detail"))


def shown(of: Office, who: Any = None) -> str:
    return browser(who or of.owner).get(path(of)).content.decode()


def add(of: Office, receiver: Receiver) -> tuple[WebhookEndpoint, str]:
    answer = browser(of.owner).post(path(of, "webhook_add"), {"url": receiver.url})
    assert answer.status_code == 200
    return WebhookEndpoint.objects.get(organization=of.organization), secret_in(answer.content.decode())


def secret_in(page: str) -> str:
    return re.findall(r"whsec_[A-Za-z0-9+/]{43}=", page)[0]


def test_what_is_told_of_is_set_shown_and_noted_once(acme: Office) -> None:
    client = browser(acme.owner)
    assert client.post(path(acme, "alert_rules"), RULES).status_code == 302
    assert rules.of(acme.organization.id) == Rules(percents=(50, 80), credit=Decimal("12.5"), credit_email=False)
    page = shown(acme)
    assert 'value="50, 80"' in page
    assert 'value="12.50"' in page
    client.post(path(acme, "alert_rules"), {**RULES, "percents": "50 80"})
    assert acts(acme) == [
        ("alerts.set", "", {"budgets": "50 %, 80 %", "credit": "below $12.50", "emails": "budgets"})
    ]
    client.post(path(acme, "alert_rules"), {})
    client.post(path(acme, "alert_rules"), {})
    assert len(acts(acme)) == 2
    assert rules.of(acme.organization.id).percents == ()
    assert acts(acme)[-1][2] == {"budgets": "none", "credit": "none", "emails": "none"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("percents", "0"), ("percents", "101"), ("percents", "50.5"), ("percents", "half"), ("percents", "-5"),
        ("percents", "1 2 3 4 5 6 7 8 9 10 11"), ("credit", "0"), ("credit", "-1"), ("credit", "1.005"),
        ("credit", "much"), ("credit", "1e30"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(acme: Office, field: str, value: str) -> None:
    answer = browser(acme.owner).post(path(acme, "alert_rules"), {**RULES, field: value})
    assert answer.status_code == 400
    assert answer.context["form"].errors.keys() == {field}
    assert rules.of(acme.organization.id) == Rules()
    assert acts(acme) == []


def test_a_budgets_meter_shows_where_it_is_told_of(acme: Office) -> None:
    budgets.put(organization=acme.organization, period=Budget.Period.MONTH, amount=Decimal(10))
    budgets.put(
        organization=acme.organization, api_key_id=acme.key.id, period=Budget.Period.DAY, amount=Decimal(1)
    )
    client = browser(acme.owner)
    client.post(path(acme, "alert_rules"), RULES)
    for address in (path(acme), path(acme, "billing"), path(acme, "key", public_id=acme.key.public_id)):
        assert "Alerts at 50, 80 %" in client.get(address).content.decode()


def test_a_webhook_is_added_and_its_secret_shown_once(acme: Office, receiver: Receiver) -> None:
    endpoint, secret = add(acme, receiver)
    assert secret not in shown(acme)
    assert acts(acme) == [("webhook.added", "127.0.0.1", {"events": "all"})]
    client = browser(acme.owner)
    assert client.post(path(acme, "webhook_test", endpoint_id=endpoint.id)).status_code == 302
    again = client.post(path(acme, "webhook_test", endpoint_id=endpoint.id), follow=True)
    assert "already being sent" in again.content.decode()
    outgoing.deliver()
    [message] = receiver.received
    assert message.event["type"] == "webhook.test"
    assert message.is_signed_by(secret)
    page = shown(acme)
    assert "Test event" in page
    assert "delivered" in page


def test_a_webhook_is_told_of_the_events_that_were_chosen(acme: Office, receiver: Receiver) -> None:
    client = browser(acme.owner)
    chosen = {"url": receiver.url, "enabled_events": ["credit.below_threshold", "batch.failed"]}
    assert client.post(path(acme, "webhook_add"), chosen).status_code == 200
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.enabled_events == ["batch.failed", "credit.below_threshold"]
    assert "<summary>batch.failed, credit.below_threshold" in shown(acme)
    client.post(path(acme, "alert_rules"), {**RULES, "credit_email": "on"})
    budgets.put(organization=acme.organization, period=Budget.Period.MONTH, amount=100 * FRAME)
    spend(acme.organization, 60)
    tasks.fire_alerts()
    outgoing.deliver()
    assert [each.event["type"] for each in receiver.received] == ["credit.below_threshold"]
    events = path(acme, "webhook_events", endpoint_id=endpoint.id)
    assert "does not exist" in client.post(events, {"enabled_events": "batch.won"}, follow=True).content.decode()
    client.post(events, {"enabled_events": ["batch.failed", "credit.below_threshold"]})
    assert len(acts(acme)) == 2, "what stays the same is not noted"
    client.post(events, {})
    assert acts(acme)[-1] == ("webhook.changed", "127.0.0.1", {"events": "all"})
    spend(acme.organization, 30)
    tasks.fire_alerts()
    outgoing.deliver()
    assert [each.event["type"] for each in receiver.received][1:] == ["budget.threshold_reached"]


def test_nobody_chooses_the_events_of_anothers_webhook(acme: Office, rival: Office, receiver: Receiver) -> None:
    endpoint, _ = add(rival, receiver)
    chosen = {"enabled_events": ["batch.failed"]}
    assert (
        browser(acme.owner).post(path(acme, "webhook_events", endpoint_id=endpoint.id), chosen).status_code == 404
    )
    viewer = rival.join("viewer@rival.example", "viewer")
    assert browser(viewer).post(path(rival, "webhook_events", endpoint_id=endpoint.id), chosen).status_code == 403
    endpoint.refresh_from_db()
    assert endpoint.enabled_events == ["*"]


def test_a_secret_is_replaced_and_a_webhook_removed(acme: Office, receiver: Receiver) -> None:
    endpoint, old = add(acme, receiver)
    client = browser(acme.owner)
    answer = client.post(path(acme, "webhook_rotate", endpoint_id=endpoint.id)).content.decode()
    new = secret_in(answer)
    assert new != old
    client.post(path(acme, "webhook_test", endpoint_id=endpoint.id))
    outgoing.deliver()
    assert receiver.received[0].is_signed_by(old)
    assert receiver.received[0].is_signed_by(new)
    client.post(path(acme, "webhook_remove", endpoint_id=endpoint.id))
    assert client.post(path(acme, "webhook_remove", endpoint_id=endpoint.id)).status_code == 404
    assert not WebhookEndpoint.objects.exists()
    assert [action for action, _, _ in acts(acme)] == ["webhook.added", "webhook.rotated", "webhook.removed"]


@pytest.mark.parametrize(
    "url",
    [
        "", "not an address", "http://example.com/", "https://localhost/", "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/", "https://nobody.invalid/", "https://8.8.8.8:22/", "https://a:b@8.8.8.8/",
        "https://8.8.8.8/" + "a" * 500,
    ],
)  # fmt: skip
def test_an_address_that_must_not_be_asked_is_refused(acme: Office, settings: Any, url: str) -> None:
    settings.ALERTS_PRIVATE_TARGETS = False
    answer = browser(acme.owner).post(path(acme, "webhook_add"), {"url": url})
    assert answer.status_code == 400
    assert answer.context["webhook_form"].errors["url"]
    assert not WebhookEndpoint.objects.exists()
    assert acts(acme) == []


def test_the_same_twice_and_too_many_are_refused(acme: Office) -> None:
    client = browser(acme.owner)
    urls = [f"https://8.8.8.8/{number}" for number in range(endpoints.MOST)]
    for url in urls:
        assert client.post(path(acme, "webhook_add"), {"url": url}).status_code == 200
    assert "already exists" in client.post(path(acme, "webhook_add"), {"url": urls[0]}).content.decode()
    assert "at most" in client.post(path(acme, "webhook_add"), {"url": "https://8.8.8.8/x"}).content.decode()
    assert WebhookEndpoint.objects.count() == len(acts(acme)) == endpoints.MOST


def test_one_that_was_given_up_is_shown_and_sent_again(acme: Office, receiver: Receiver) -> None:
    endpoint, _ = add(acme, receiver)
    client = browser(acme.owner)
    client.post(path(acme, "webhook_test", endpoint_id=endpoint.id))
    receiver.answers = [500] * 5
    for _ in range(5):
        Delivery.objects.update(next_try_at="2020-01-01T00:00:00Z")
        outgoing.deliver()
    page = shown(acme)
    assert "failing since" in page
    assert ">failed</span>" in page
    assert "answered 500" in page
    delivery = Delivery.objects.get()
    client.post(path(acme, "delivery_again", delivery_id=delivery.id))
    outgoing.deliver()
    assert len(receiver.received) == 6
    page = shown(acme)
    assert "failing since" not in page
    assert ">failed</span>" not in page


def test_others_look_but_see_neither_credit_nor_whole_addresses(acme: Office, receiver: Receiver) -> None:
    add(acme, receiver)
    client = browser(acme.owner)
    client.post(path(acme, "alert_rules"), {**RULES, "credit_email": "on"})
    budgets.put(organization=acme.organization, period=Budget.Period.MONTH, amount=100 * FRAME)
    spend(acme.organization, 60)
    tasks.fire_alerts()
    assert "Your credit is below $12.50" in shown(acme)
    viewer = acme.join("viewer@acme.example", "viewer")
    page = shown(acme, viewer)
    assert "Alerts at 50 %, 80 % of each budget." in page
    assert "50 % of your monthly budget is spent" in page
    assert "12.50" not in page
    assert "127.0.0.1" in page
    assert receiver.url not in page
    assert "<form" not in page.split("<main")[1]


def test_anothers_are_not_listed(acme: Office, rival: Office, receiver: Receiver) -> None:
    endpoint, _ = add(rival, receiver)
    endpoints.send_test(endpoint)
    page = shown(acme)
    assert "127.0.0.1" not in page
    assert "Test event" not in page
    assert "127.0.0.1" in shown(rival)
