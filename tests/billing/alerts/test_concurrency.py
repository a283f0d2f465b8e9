"""Several detectors and several senders at once, on a real PostgreSQL: each alert fires once and arrives once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from billing import budgets
from billing.alerts import detection
from billing.models import Alert, AlertRule, Budget
from tests.billing.alerts.world import Receiver, spend, tell
from tests.billing.books import FRAME, new_organization
from webhooks import endpoints, outbox
from webhooks.models import Delivery, WebhookEndpoint

WORKERS = 8


def sweep() -> None:
    """Other tests' alerts are not counted here, nor these there."""
    for table in (Delivery, Alert, AlertRule, WebhookEndpoint):
        table._default_manager.all().delete()


@pytest.fixture
def customers(committed: None) -> Iterator[list[Organization]]:
    sweep()
    yield [new_organization(given="1") for _ in range(4)]
    sweep()


def at_once(work: Callable[[], int]) -> list[int]:
    gate = Barrier(WORKERS)

    def begin(_: int) -> int:
        gate.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as threads:
        return list(threads.map(begin, range(WORKERS)))


def test_each_fires_once_and_arrives_once(customers: list[Organization], receiver: Receiver) -> None:
    for customer in customers:
        endpoints.add(organization=customer, url=receiver.url)
        budgets.put(organization=customer, period=Budget.Period.MONTH, amount=100 * FRAME)
        budgets.put(organization=customer, period=Budget.Period.DAY, amount=100 * FRAME)
        tell(customer, 20, 50, 60, credit="5")
        spend(customer, 70)
    expected = len(customers) * 7
    assert sum(at_once(detection.fire_due)) == expected
    assert Alert.objects.count() == Delivery.objects.count() == expected
    assert sum(at_once(outbox.deliver_due)) == expected
    ids = [message.headers["webhook-id"] for message in receiver.received]
    assert len(ids) == len(set(ids)) == expected
    assert sum(at_once(detection.fire_due)) == 0


def test_one_that_is_removed_while_it_is_asked_harms_no_other(
    customers: list[Organization], receiver: Receiver
) -> None:
    leaving, staying = (endpoints.add(organization=each, url=receiver.url)[0] for each in customers[:2])
    for endpoint in (leaving, staying):
        endpoints.send_test(endpoint)
    Delivery.objects.filter(endpoint=leaving).update(next_try_at=timezone.now() - timedelta(hours=1))

    def leave(handler: BaseHTTPRequestHandler) -> None:
        endpoints.remove(leaving)
        connection.close()
        handler.send_error(500)

    receiver.answers = [leave]
    assert outbox.deliver_due() == 2
    assert [delivery.state for delivery in Delivery.objects.all()] == ["delivered"]
