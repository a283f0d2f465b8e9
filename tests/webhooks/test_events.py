"""What happens to batches, background requests and invoices reaches a customer's webhook, once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Any

import httpx
import pytest
from openai import OpenAI
from openai.types import Batch

from gateway.batches import telling
from tests.billing.alerts.world import Receiver, make_due, receiving
from tests.conftest import Customer
from tests.gateway.batching import ended, speech_line, start, tone_line
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for
from webhooks import endpoints, outbox
from webhooks.models import Delivery


@pytest.fixture
def told(customer: Customer) -> Iterator[Receiver]:
    with receiving() as receiver:
        _, receiver.secret = endpoints.add(organization=customer.organization, url=receiver.url)  # type: ignore[attr-defined]
        yield receiver


def events_of(receiver: Receiver, customer: Customer) -> list[dict[str, Any]]:
    """The organization's events by type, once this process has delivered them in the clock's place."""
    make_due()
    outbox.deliver_due()
    assert all(each.is_signed_by(receiver.secret) for each in receiver.received)  # type: ignore[attr-defined]
    # All are due at the same moment, so they are sent in any order.
    return sorted((each.event for each in receiver.received), key=itemgetter("type"))


def test_a_batch_that_completes_and_one_that_fails(client: OpenAI, customer: Customer, told: Receiver) -> None:
    done = ended(client, start(client, [tone_line(1, 2)], metadata={"a": "b"}))
    wrong = ended(client, start(client, [speech_line(1, voice="nobody")]))
    events = events_of(told, customer)
    assert [event["type"] for event in events] == ["batch.completed", "batch.failed"]
    assert events[0]["data"]["organization"] == f"org_{customer.organization.id.hex}"
    assert Batch.model_validate(events[0]["data"]["batch"]) == client.batches.retrieve(done.id)
    assert events[1]["data"]["batch"]["id"] == wrong.id
    assert events[1]["data"]["batch"]["errors"]["data"][0]["line"] == 1


def test_background_requests_that_end(service: Service, customer: Customer, told: Receiver) -> None:
    ids = []
    for script in ({}, {"fail": 9}):
        body = scripted(5, background=True, script=script)
        answer = httpx.post(f"{service.url}/v1/chat/completions", json=body, headers=customer.headers, timeout=30)
        ids.append(answer.json()["audio_id"])
        count = len(ids)
        wait_for(lambda count=count: Delivery.objects.filter(organization=customer.organization).count() == count)
    assert telling.tell_of_background() == 0, "each is told once"
    done, failed = events_of(told, customer)
    assert (done["type"], done["data"]["audio"]["id"]) == ("audio.completed", ids[0])
    assert Decimal(done["data"]["audio"]["cost_usd"]) == 5 * Decimal("0.00003")
    assert (failed["type"], failed["data"]["audio"]["id"]) == ("audio.failed", ids[1])
    assert failed["data"]["audio"]["error"]["code"] == "internal_error"
    assert Decimal(failed["data"]["audio"]["cost_usd"]) == 0
