"""What `store: false` leaves behind: by request, by key, by organization. And how long all else is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone

from accounts.models import ApiKey, Organization
from inference import assets
from inference.models import AudioAsset, SynthesisJob
from tests.conftest import Customer
from tests.live import Service

SPEECH = {"model": "tts-1", "input": "Nobody may keep the word marzipan.", "voice": "alloy"}
CHAT = {
    "model": "boson/higgs-audio-v2.5",
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "wav"},
    "messages": [{"role": "user", "content": "Nobody may keep the word marzipan."}],
}


def ask(service: Service, customer: Customer, route: str, body: dict[str, Any]) -> httpx.Response:
    answer = httpx.post(f"{service.url}/v1/{route}", json=body, headers=customer.headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer


def logged(service: Service, customer: Customer, answer: httpx.Response) -> dict[str, Any]:
    url = f"{service.url}/v1/requests/{answer.headers['x-request-id']}"
    call: dict[str, Any] = httpx.get(url, headers=customer.headers).raise_for_status().json()
    return call


def asset_of(service: Service, customer: Customer, answer: httpx.Response) -> AudioAsset:
    audio_id = logged(service, customer, answer)["audio_id"]
    return AudioAsset.objects.get(job_id=UUID(audio_id.removeprefix("audio_")))


def days_kept(asset: AudioAsset) -> float:
    return (asset.expires_at - asset.created_at) / timedelta(days=1)


def pass_time(seconds: float) -> None:
    for asset in AudioAsset.objects.filter(purged_at=None):
        AudioAsset.objects.filter(pk=asset.pk).update(expires_at=asset.expires_at - timedelta(seconds=seconds))


@pytest.mark.parametrize(("route", "body"), [("audio/speech", SPEECH), ("chat/completions", CHAT)])
def test_store_false_deletes_audio_codes_and_transcript_a_minute_later(
    service: Service, customer: Customer, route: str, body: dict[str, Any]
) -> None:
    answer = ask(service, customer, route, {**body, "store": False})
    asset = asset_of(service, customer, answer)
    audio = f"{service.url}/v1/audio/audio_{asset.job_id.hex}"

    pass_time(50)
    assets.purge_expired()
    assert (
        httpx.get(audio, headers=customer.headers).status_code == 200
    )  # a client that lost its answer asks again
    pass_time(20)
    assets.purge_expired()

    assert httpx.get(audio, headers=customer.headers).status_code == 410
    assert not assets.store().exists(asset.path)
    assert not (asset.codes_path and assets.store().exists(asset.codes_path))
    asset.refresh_from_db()
    assert asset.transcript == ""
    logged = httpx.get(
        f"{service.url}/v1/requests/{answer.headers['x-request-id']}", headers=customer.headers
    ).json()
    assert logged["audio_deleted_at"] == asset.purged_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # type: ignore[union-attr]


def test_audio_is_kept_as_long_as_the_operator_says_where_nobody_else_says(
    service: Service, customer: Customer, settings: Any
) -> None:
    for said in ({}, {"store": True}, {"store": None}):
        answer = ask(service, customer, "audio/speech", {**SPEECH, **said})
        assert days_kept(asset_of(service, customer, answer)) == settings.AUDIO_TTL_SECONDS / 86_400
    logged = httpx.get(
        f"{service.url}/v1/requests/{answer.headers['x-request-id']}", headers=customer.headers
    ).json()
    assert logged["audio_deleted_at"] is None
    assert logged["audio_expires_at"] > timezone.now().isoformat()


def test_a_key_that_stores_nothing_is_stronger_than_a_request_that_says_store(
    service: Service, customer: Customer
) -> None:
    ApiKey.objects.filter(organization=customer.organization).update(stores_audio=False)
    answer = ask(service, customer, "audio/speech", {**SPEECH, "store": True})
    assert days_kept(asset_of(service, customer, answer)) < 0.001


@pytest.mark.parametrize(("days", "kept"), [(0, 60 / 86_400), (1, 1), (30, 30)])
def test_an_organization_sets_its_own_retention(
    service: Service, customer: Customer, days: int, kept: float
) -> None:
    Organization.objects.filter(pk=customer.organization.pk).update(audio_days=days)
    assert days_kept(asset_of(service, customer, ask(service, customer, "audio/speech", SPEECH))) == pytest.approx(
        kept
    )


def test_store_must_be_a_boolean(service: Service, customer: Customer) -> None:
    answer = httpx.post(f"{service.url}/v1/audio/speech", json={**SPEECH, "store": "no"}, headers=customer.headers)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "store")
    assert not SynthesisJob.objects.filter(organization=customer.organization).exists()
