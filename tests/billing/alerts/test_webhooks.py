"""What a customer's server receives, and what becomes of a message that it does not take."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import Organization
from billing import budgets, tasks
from billing.models import Alert, Budget
from tests.billing.alerts.world import Receiver, make_due, spend, tell
from tests.billing.books import FRAME, new_organization
from tests.live import free_port
from webhooks import endpoints, outbox, posting
from webhooks import tasks as outgoing
from webhooks.models import Delivery, WebhookEndpoint, WebhookSecret


def add(organization: Organization, receiver: Receiver) -> tuple[WebhookEndpoint, str]:
    return endpoints.add(organization=organization, url=receiver.url)


def pass_half(organization: Organization, frames: int = 60) -> None:
    """Half of a month's budget of 100 frames is passed, and seen."""
    budgets.put(organization=organization, period=Budget.Period.MONTH, amount=100 * FRAME)
    tell(organization, 50)
    spend(organization, frames)
    tasks.fire_alerts()


def only() -> Delivery:
    return Delivery.objects.get()


def test_an_alert_arrives_signed_with_exact_amounts(organization: Organization, receiver: Receiver) -> None:
    _, secret = add(organization, receiver)
    pass_half(organization)
    outgoing.deliver()
    [message] = receiver.received
    assert message.path == "/hook?of=alerts"
    assert message.is_signed_by(secret)
    assert not message.is_signed_by("whsec_" + "A" * 44)
    assert abs(int(message.headers["webhook-timestamp"]) - time.time()) < 60
    assert message.headers["content-type"] == "application/json"
    event = message.event
    assert datetime.fromisoformat(event.pop("timestamp")).tzinfo is not None
    assert event == {
        "type": "budget.threshold_reached",
        "data": {
            "organization": f"org_{organization.id.hex}",
            "threshold_percent": 50,
            "spent": "0.001800000",
            "budget": {
                "scope": "organization",
                "key": None,
                "key_name": None,
                "period": "month",
                "start": timezone.now().strftime("%Y-%m-01"),
                "amount": "0.003000000",
            },
        },
    }
    assert only().state == "delivered"
    tasks.fire_alerts()
    make_due()
    outgoing.deliver()
    assert len(receiver.received) == 1


def test_a_keys_budget_and_the_credit_say_what_they_are(organization: Organization, receiver: Receiver) -> None:
    add(organization, receiver)
    key, _ = keys.create(organization=organization, name="nightly")
    budgets.put(organization=organization, api_key_id=key.id, period=Budget.Period.TOTAL, amount=100 * FRAME)
    tell(organization, 50, credit="2.50")
    spend(organization, 60, key=key.id)
    tasks.fire_alerts()
    outgoing.deliver()
    found = {message.event["type"]: message.event["data"] for message in receiver.received}
    budget = found["budget.threshold_reached"]["budget"]
    assert (budget["key"], budget["key_name"], budget["period"], budget["start"]) == (
        key.named,
        "nightly",
        "total",
        None,
    )
    assert found["credit.below_threshold"] == {
        "organization": f"org_{organization.id.hex}",
        "threshold": "2.500000000",
        "credit": f"{1 - 60 * FRAME:.9f}",
    }


def test_a_failure_is_tried_again_later_as_the_same_message(
    organization: Organization, receiver: Receiver
) -> None:
    _, secret = add(organization, receiver)
    pass_half(organization)
    receiver.answers = [500]
    outgoing.deliver()
    delivery = only()
    assert (delivery.state, delivery.attempts, delivery.error) == ("pending", 1, "answered 500")
    assert timedelta(0) < delivery.next_try_at - timezone.now() <= outbox.WAITS[0]
    outgoing.deliver()
    assert len(receiver.received) == 1
    make_due()
    outgoing.deliver()
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert second.is_signed_by(secret)
    assert (only().state, only().error) == ("delivered", "")


def test_after_the_last_try_it_is_given_up_until_somebody_asks(
    organization: Organization, receiver: Receiver
) -> None:
    endpoint, _ = add(organization, receiver)
    pass_half(organization)
    receiver.answers = [500, 404, 301, 503, 500]
    waits = []
    for _ in range(5):
        assert only().state == "pending"
        outgoing.deliver()
        waits.append(only().next_try_at - timezone.now())
        make_due()
    assert waits[:4] == sorted(waits[:4])
    assert waits[3] > timedelta(hours=3)
    delivery = only()
    assert (delivery.state, delivery.attempts) == ("dead", 5)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    outgoing.deliver()
    assert len(receiver.received) == 5
    assert outbox.deliver_again(delivery)
    assert not outbox.deliver_again(delivery)
    receiver.answers = [500]
    outgoing.deliver()
    assert (only().state, only().attempts) == ("pending", 1)
    make_due()
    outgoing.deliver()
    endpoint.refresh_from_db()
    assert (only().state, endpoint.failing_since) == ("delivered", None)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, never an end."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 1000:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


def flood(handler: BaseHTTPRequestHandler) -> None:
    """A good answer with more of a body than anybody wants."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
    except OSError:
        handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize(
    ("answer", "error"),
    [(drip, "no answer within 0.5 seconds"), (hang_up, "the connection broke")],
)
def test_a_server_that_does_not_answer_costs_little(
    organization: Organization, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: Any, error: str
) -> None:
    monkeypatch.setattr(posting, "SECONDS", 0.5)
    add(organization, receiver)
    pass_half(organization)
    receiver.answers = [answer]
    outgoing.deliver()
    assert (only().state, only().error) == ("pending", error)


def test_a_server_that_fails_holds_up_only_its_own(organization: Organization, receiver: Receiver) -> None:
    endpoints.add(organization=organization, url=receiver.url + "&server=bad")
    endpoints.add(organization=organization, url=receiver.url + "&server=good")
    budgets.put(organization=organization, period=Budget.Period.MONTH, amount=100 * FRAME)
    tell(organization, 10, 20, 30)
    spend(organization, 60)
    tasks.fire_alerts()
    Delivery.objects.filter(endpoint__url__endswith="bad").update(next_try_at="2020-01-01T00:00:00Z")
    receiver.answers = [500]
    outgoing.deliver()
    asked = [message.path.rpartition("=")[2] for message in receiver.received]
    assert asked == ["bad", "good", "good", "good"]
    make_due()
    outgoing.deliver()
    assert Delivery.objects.filter(state="delivered").count() == 6


def test_what_the_answer_says_is_not_read(organization: Organization, receiver: Receiver) -> None:
    add(organization, receiver)
    pass_half(organization)
    receiver.answers = [flood]
    outgoing.deliver()
    assert only().state == "delivered"


def test_a_redirect_is_a_failure_and_is_not_followed(organization: Organization, receiver: Receiver) -> None:
    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("location", receiver.url.replace("/hook", "/latest/meta-data"))
        handler.send_header("content-length", "0")
        handler.end_headers()

    add(organization, receiver)
    pass_half(organization)
    receiver.answers = [redirect]
    outgoing.deliver()
    assert only().error == "answered 307"
    assert [message.path for message in receiver.received] == ["/hook?of=alerts"]


def test_nobody_there_is_a_failure(organization: Organization) -> None:
    endpoints.add(organization=organization, url=f"http://127.0.0.1:{free_port()}/")
    pass_half(organization)
    outgoing.deliver()
    assert only().error == "no connection"


def test_both_secrets_sign_until_the_old_one_ends(organization: Organization, receiver: Receiver) -> None:
    endpoint, old = add(organization, receiver)
    new = endpoints.rotate(endpoint)
    assert new != old
    endpoints.send_test(endpoint)
    outgoing.deliver()
    assert [receiver.received[0].is_signed_by(secret) for secret in (old, new)] == [True, True]
    WebhookSecret.objects.exclude(ends_at=None).update(ends_at=timezone.now())
    endpoints.send_test(endpoint)
    outgoing.deliver()
    assert [receiver.received[1].is_signed_by(secret) for secret in (old, new)] == [False, True]


def test_no_secret_is_stored_and_its_pepper_is_needed(
    organization: Organization, receiver: Receiver, settings: Any
) -> None:
    endpoint, secret = add(organization, receiver)
    stored = WebhookSecret.objects.get()
    assert len(bytes(stored.salt)) == 32
    settings.API_KEY_PEPPERS = {**settings.API_KEY_PEPPERS, 9: b"n" * 32}
    endpoints.send_test(endpoint)
    outgoing.deliver()
    assert receiver.received[0].is_signed_by(secret)
    settings.API_KEY_PEPPERS = {9: b"n" * 32}
    endpoints.send_test(endpoint)
    outgoing.deliver()
    assert Delivery.objects.get(state="dead").error == "its signing secret ended: make another one"
    assert len(receiver.received) == 1


def test_a_test_is_sent_one_at_a_time(organization: Organization, receiver: Receiver) -> None:
    endpoint, _ = add(organization, receiver)
    assert endpoints.send_test(endpoint)
    assert not endpoints.send_test(endpoint)
    outgoing.deliver()
    [message] = receiver.received
    assert (message.event["type"], message.event["data"]) == (
        "webhook.test",
        {"organization": f"org_{organization.id.hex}"},
    )
    assert endpoints.send_test(endpoint)
    assert not outbox.deliver_again(Delivery.objects.get(state="delivered"))


def test_an_alert_goes_to_all_endpoints_of_its_organization_and_no_other(
    organization: Organization, receiver: Receiver
) -> None:
    rival = new_organization(given="1")
    add(rival, receiver)
    for number in range(endpoints.MOST):
        endpoints.add(organization=organization, url=f"{receiver.url}&number={number}")
    pass_half(organization)
    outgoing.deliver()
    assert sorted(message.path for message in receiver.received) == [
        f"/hook?of=alerts&number={number}" for number in range(endpoints.MOST)
    ]
    with pytest.raises(endpoints.TooMany):
        endpoints.add(organization=organization, url=f"{receiver.url}&number=6")
    with pytest.raises(endpoints.AlreadyThere):
        add(rival, receiver)


def test_one_that_is_removed_is_sent_nothing_more(organization: Organization, receiver: Receiver) -> None:
    endpoint, _ = add(organization, receiver)
    pass_half(organization)
    assert endpoints.remove(endpoint)
    assert not endpoints.remove(endpoint)
    outgoing.deliver()
    assert receiver.received == []


def test_old_deliveries_go_and_alerts_stay(organization: Organization, receiver: Receiver) -> None:
    add(organization, receiver)
    pass_half(organization)
    outgoing.deliver()
    outgoing.purge()
    assert Delivery.objects.exists()
    Delivery.objects.update(ended_at=timezone.now() - outbox.KEPT - timedelta(days=1))
    outgoing.purge()
    assert not Delivery.objects.exists()
    spend(organization, 20)
    tasks.fire_alerts()
    assert not Delivery.objects.exists()
    assert Alert.objects.get().percent == 50
