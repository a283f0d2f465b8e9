"""What ends a batch's right to speak, and how long its results are kept where they are not to be stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone
from openai import OpenAI

from accounts import keys
from accounts.keys import UNSTORED_SECONDS
from accounts.models import ApiKey, Organization
from gateway.batches import doorbell
from gateway.models import SpeechBatch
from inference.models import AudioAsset, SynthesisJob
from tests.conftest import Customer
from tests.gateway.batching import ended, results, start, tone_line
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for

DAY = timedelta(days=1)


def record_of(batch_id: str) -> SpeechBatch:
    return SpeechBatch.objects.get(id=batch_id.removeprefix("batch_"))


def client_of(service: Service, customer: Customer) -> OpenAI:
    """With another key of the organization."""
    _, secret = keys.create(organization=customer.organization, name="another")
    return OpenAI(base_url=f"{service.url}/v1", api_key=secret, max_retries=0)


def test_a_revoked_key_stops_its_running_batch(service: Service, client: OpenAI, customer: Customer) -> None:
    lines = [tone_line(1, 2), *(tone_line(number, 200, pace=0.05) for number in range(2, 30))]
    batch = start(client, lines)
    wait_for(lambda: doorbell.ring() or record_of(batch.id).completed)
    with client_of(service, customer) as another:
        others = start(another, [tone_line(1, 3)])
        keys.revoke(public_id=customer.key.public_id)
        done = ended(another, batch)
        assert done.status == "cancelled"
        assert done.errors
        assert done.errors.data
        assert [(error.code, error.line) for error in done.errors.data] == [("api_key_revoked", None)]
        assert done.request_counts
        assert (done.request_counts.completed, done.request_counts.failed) == (1, 28)
        refused = results(another, done.error_file_id)
        assert {error["error"]["code"] for error in refused} == {"api_key_revoked"}
        live = SynthesisJob.objects.filter(organization=customer.organization, finished_at=None)
        assert not live.filter(api_key=customer.key).exists()
        assert ended(another, others).status == "completed", "another key's batch goes on"


def test_a_key_that_expires_lets_its_batch_finish(service: Service, client: OpenAI, customer: Customer) -> None:
    batch = start(client, [tone_line(number, 10, pace=0.05) for number in range(8)])
    ApiKey.objects.filter(id=customer.key.id).update(expires_at=timezone.now())
    with client_of(service, customer) as another:
        assert ended(another, batch).status == "completed"


Made = tuple[SpeechBatch, list[dict[str, Any]], list[AudioAsset]]


@pytest.fixture
def spoken(client: OpenAI, customer: Customer) -> Callable[..., Made]:
    """A batch of two completions, its results and its audio, in the order of the lines."""

    def speak(**members: Any) -> Made:
        body = scripted(6)
        line = {"method": "POST", "url": "/v1/chat/completions"}
        lines = [
            {"custom_id": "kept", **line, "body": body},
            {"custom_id": "own", **line, "body": {**body, **members}},
        ]
        done = ended(client, start(client, lines, endpoint="/v1/chat/completions"))
        told = results(client, done.output_file_id)
        ids = [each["response"]["body"]["choices"][0]["message"]["audio"]["id"] for each in told]
        assets = [AudioAsset.objects.get(job_id=UUID(id.removeprefix("audio_"))) for id in ids]
        return record_of(done.id), told, assets

    return speak


def transcripts(told: list[dict[str, Any]]) -> list[str]:
    return [each["response"]["body"]["choices"][0]["message"]["audio"]["transcript"] for each in told]


def expiry(asset: AudioAsset) -> datetime:
    asset.refresh_from_db()
    return asset.expires_at


def fetch(service: Service, customer: Customer, path: str, **headers: str) -> httpx.Response:
    answer = httpx.get(f"{service.url}/v1/{path}", headers={**customer.headers, **headers}, timeout=30)
    assert answer.is_success, answer.text
    return answer


def test_audio_that_is_not_to_be_stored_waits_until_it_is_fetched(
    service: Service, customer: Customer, spoken: Callable[..., Made]
) -> None:
    batch, told, (kept, own) = spoken(store=False)
    assert transcripts(told) == ["A tone.", ""]
    assert (expiry(kept), expiry(own)) == (batch.expires_at + 7 * DAY, batch.expires_at + DAY)
    fetch(service, customer, f"audio/audio_{own.job_id.hex}", range="bytes=0-99")
    assert expiry(own) == batch.expires_at + DAY, "a part is not all of it"
    fetch(service, customer, f"audio/audio_{own.job_id.hex}")
    soon = timezone.now() + timedelta(seconds=UNSTORED_SECONDS)
    wait_for(lambda: expiry(own) <= soon, what="it goes a minute later")
    fetch(service, customer, f"audio/audio_{kept.job_id.hex}")
    assert expiry(kept) == batch.expires_at + 7 * DAY


@pytest.mark.parametrize("format", ["tar", "zip"])
def test_the_archive_is_a_fetch_of_all(
    service: Service, customer: Customer, spoken: Callable[..., Made], format: str
) -> None:
    batch, _, (kept, own) = spoken(store=False)
    fetch(service, customer, f"batches/batch_{batch.id.hex}/audio?format={format}")
    soon = timezone.now() + timedelta(seconds=UNSTORED_SECONDS)
    wait_for(lambda: expiry(own) <= soon, what="it goes a minute later")
    assert expiry(kept) == batch.expires_at + 7 * DAY


def test_a_key_that_stores_nothing_and_an_organization_of_no_days(
    customer: Customer, spoken: Callable[..., Made]
) -> None:
    ApiKey.objects.filter(id=customer.key.id).update(stores_audio=False)
    batch, told, assets = spoken()
    assert {expiry(asset) for asset in assets} == {batch.expires_at + DAY}
    assert transcripts(told) == ["", ""]
    ApiKey.objects.filter(id=customer.key.id).update(stores_audio=True)
    Organization.objects.filter(id=customer.organization.id).update(audio_days=0)
    batch, _, assets = spoken()
    assert {expiry(asset) for asset in assets} == {batch.expires_at + DAY}


def test_an_organizations_own_days_count_from_the_end_of_its_time(
    customer: Customer, spoken: Callable[..., Made]
) -> None:
    Organization.objects.filter(id=customer.organization.id).update(audio_days=2)
    batch, told, (kept, own) = spoken(store=False)
    assert (expiry(kept), expiry(own)) == (batch.expires_at + 2 * DAY, batch.expires_at + DAY)
    assert transcripts(told) == ["A tone.", ""]
