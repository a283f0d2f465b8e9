"""From a request on the wire to the customer's own server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import httpx
import pytest

from billing import budgets
from billing.models import Alert, AlertRule, Budget
from config.celery import app
from tests.billing.alerts.world import Received, Receiver, make_due, tell
from tests.billing.books import FRAME
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for
from webhooks import endpoints
from webhooks import tasks as outgoing
from webhooks.models import Delivery, WebhookEndpoint

FRAMES = 5


@pytest.fixture
def swept(committed: None) -> Iterator[None]:
    yield
    for table in (Delivery, Alert, AlertRule, WebhookEndpoint):
        table._default_manager.all().delete()


@pytest.mark.usefixtures("swept")
def test_a_request_that_passes_half_of_a_budget_is_told_of(
    service: Service, new_customer: Callable[..., Customer], receiver: Receiver
) -> None:
    customer = new_customer()
    day = Budget.Period.DAY
    budgets.put(organization=customer.organization, api_key_id=customer.key.id, period=day, amount=9 * FRAME)
    tell(customer.organization, 50)
    _, secret = endpoints.add(organization=customer.organization, url=receiver.url)

    request = scripted(FRAMES, max_completion_tokens=FRAMES)
    spoken = httpx.post(
        f"{service.url}/v1/chat/completions", json=request, headers=customer.headers, timeout=30
    ).raise_for_status()
    app.send_task("billing.tasks.fire_alerts")
    alert = wait_for(lambda: Alert.objects.filter(organization=customer.organization).first())
    assert alert.reached == 5 * FRAME

    # The running worker is a public service's: it goes to no server of this machine.
    app.send_task("webhooks.tasks.deliver")
    tried = Delivery.objects.filter(source=f"alert:{alert.pk}", attempts=1)
    refused = wait_for(lambda: tried.exclude(error="").first())
    assert refused.error.startswith("It must begin with https://.")
    assert receiver.received == []

    def deliver_here() -> list[Received]:
        make_due()  # the worker may still be looking for more, and take it once again
        outgoing.deliver()
        return receiver.received

    [message] = wait_for(deliver_here)
    assert message.is_signed_by(secret)
    assert Decimal(message.event["data"]["spent"]) == Decimal(str(spoken.json()["usage"]["cost_usd"]))
    assert message.event["data"]["budget"]["key"] == customer.key.named
