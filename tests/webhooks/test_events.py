"""What happens to batches, background requests and invoices reaches a customer's webhook, once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from operator import itemgetter
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from openai import OpenAI
from openai.types import Batch

from gateway.batches import telling
from tests.billing.alerts.world import Receiver, make_due, receiving
from tests.conftest import Customer
from tests.gateway.batching import ended, speech_line, start, tone_line
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for
from webhooks import endpoints, events, outbox
from webhooks.models import Delivery, WebhookEndpoint


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
    completed, failed = events_of(told, customer)
    assert (completed["type"], failed["type"]) == ("batch.completed", "batch.failed")
    assert completed["data"]["organization"] == f"org_{customer.organization.id.hex}"
    assert Batch.model_validate(completed["data"]["batch"]) == client.batches.retrieve(done.id)
    assert failed["data"]["batch"]["id"] == wrong.id
    assert failed["data"]["batch"]["errors"]["data"][0]["line"] == 1


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


def test_an_event_that_no_endpoint_could_choose_is_refused(customer: Customer) -> None:
    with pytest.raises(ValueError, match="KINDS"):
        events.Event(
            organization_id=customer.organization.id,
            kind="batch.won",
            data={},
            at=timezone.now(),
            source="x",
            summary="",
        )


@pytest.mark.parametrize("wanted", [[], ["batch.won"], ["batch.failed", "webhook.test"]])
def test_events_that_do_not_exist_are_refused(customer: Customer, wanted: list[str]) -> None:
    with pytest.raises(endpoints.UnknownEvent):
        endpoints.add(organization=customer.organization, url="https://8.8.8.8/", enabled_events=wanted)
    endpoint, _ = endpoints.add(organization=customer.organization, url="https://8.8.8.8/")
    with pytest.raises(endpoints.UnknownEvent):
        endpoints.choose(endpoint, wanted)


@pytest.mark.parametrize("wanted", [[], ["*", "batch.failed"]])
def test_the_database_refuses_a_choice_without_meaning(customer: Customer, wanted: list[str]) -> None:
    with pytest.raises(IntegrityError, match="webhook_endpoint_wants_events"), transaction.atomic():
        WebhookEndpoint.objects.create(
            organization=customer.organization, url="https://8.8.8.8/", enabled_events=wanted
        )
