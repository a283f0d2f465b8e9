"""GET and DELETE /v1/audio/{id}: the same bytes as in the answer, for their owner, until they expire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from django.utils import timezone
from openai import OpenAI

from billing.models import UsageRecord
from inference import assets
from inference.models import AudioAsset
from tests.conftest import Customer
from tests.gateway.speaking import audio_of, decode, speak
from tests.live import Service


@pytest.fixture(params=["wav", "mp3"])
def spoken(client: OpenAI, request: pytest.FixtureRequest) -> tuple[str, bytes, str]:
    """(audio id, bytes in the answer, format)."""
    completion = speak(client, "Kept for a day.", audio={"voice": "sage", "format": request.param})
    audio = completion.choices[0].message.audio
    assert audio is not None
    return audio.id, audio_of(completion), request.param


@pytest.fixture
def one(client: OpenAI) -> tuple[str, bytes]:
    completion = speak(client, "Kept.")
    audio = completion.choices[0].message.audio
    assert audio is not None
    return audio.id, audio_of(completion)


def get(service: Service, customer: Customer, audio_id: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{service.url}/v1/audio/{audio_id}", headers={**customer.headers, **headers})


def stored(audio_id: str) -> AudioAsset:
    return AudioAsset.objects.get(job_id=UUID(audio_id.removeprefix("audio_")))


def test_the_stored_audio_is_the_answers_audio(
    service: Service, customer: Customer, spoken: tuple[str, bytes, str]
) -> None:
    audio_id, data, format_name = spoken
    answer = get(service, customer, audio_id)
    assert answer.status_code == 200
    assert answer.content == data
    assert answer.headers["content-type"] == {"wav": "audio/wav", "mp3": "audio/mpeg"}[format_name]
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["wav", "mp3", "opus", "aac", "flac", "pcm", "pcm16"])
def test_the_audio_can_be_had_in_any_format(
    service: Service, customer: Customer, spoken: tuple[str, bytes, str], wanted: str
) -> None:
    audio_id, data, format_name = spoken
    answer = get(service, customer, f"{audio_id}?format={wanted}")
    samples = stored(audio_id).samples
    assert answer.status_code == 200
    if wanted == format_name:
        assert answer.content == data
    if wanted in ("pcm", "pcm16"):
        assert len(answer.content) == 2 * samples
    else:
        heard, rate, _ = decode(answer.content)
        assert 0 <= len(heard) * 24_000 / rate - samples <= (3072 if wanted == "aac" else 0)
    assert get(service, customer, f"{audio_id}?format={wanted}").content == answer.content
    part = get(service, customer, f"{audio_id}?format={wanted}", range="bytes=100-199")
    assert part.content == answer.content[100:200]
    assert part.headers["etag"] == answer.headers["etag"]


def test_an_unknown_format_is_named(service: Service, customer: Customer, one: tuple[str, bytes]) -> None:
    answer = get(service, customer, f"{one[0]}?format=ogg")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "format")
    assert "opus" in answer.json()["error"]["message"]


def test_what_a_client_has_is_not_sent_again(service: Service, customer: Customer, one: tuple[str, bytes]) -> None:
    etag = get(service, customer, one[0]).headers["etag"]
    again = get(service, customer, one[0], **{"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert get(service, customer, one[0], **{"if-none-match": '"other"'}).status_code == 200
    other = get(service, customer, f"{one[0]}?format=mp3")
    assert other.headers["etag"] != etag
    assert get(service, customer, one[0], range="bytes=0-9", **{"if-range": etag}).status_code == 206
    assert get(service, customer, one[0], range="bytes=0-9", **{"if-range": '"old"'}).status_code == 200


def test_it_says_what_it_is_and_what_it_cost(service: Service, customer: Customer, one: tuple[str, bytes]) -> None:
    head = httpx.head(f"{service.url}/v1/audio/{one[0]}", headers=customer.headers)
    record = UsageRecord.objects.get(organization=customer.organization)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(one[1])
    assert head.headers["x-cost-usd"] == str(record.cost)
    assert float(head.headers["x-audio-seconds"]) == record.samples / 24_000
    assert head.headers["content-disposition"] == f'inline; filename="{one[0]}.wav"'


@pytest.mark.parametrize(
    ("header", "first", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=100-", 100, None), ("bytes=-5", -5, None)],
)
def test_a_range(
    service: Service, customer: Customer, one: tuple[str, bytes], header: str, first: int, stop: int | None
) -> None:
    audio_id, data = one
    answer = get(service, customer, audio_id, range=header)
    assert answer.status_code == 206
    assert answer.content == data[first:stop]
    start = first % len(data)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(answer.content) - 1}/{len(data)}"


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_end(service: Service, customer: Customer, one: tuple[str, bytes], header: str) -> None:
    answer = get(service, customer, one[0], range=header)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(one[1])}"


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,4-5"])
def test_a_range_that_makes_no_sense_is_ignored(
    service: Service, customer: Customer, one: tuple[str, bytes], header: str
) -> None:
    answer = get(service, customer, one[0], range=header)
    assert (answer.status_code, answer.content) == (200, one[1])


def test_nobody_elses_audio_exists(
    service: Service, one: tuple[str, bytes], new_customer: Callable[..., Customer]
) -> None:
    stranger = new_customer()
    for method in ("GET", "DELETE"):
        answer = httpx.request(method, f"{service.url}/v1/audio/{one[0]}", headers=stranger.headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "audio_not_found")
    assert assets.store().exists(stored(one[0]).path)


def test_delete_purges_at_once_and_the_bill_stays(
    service: Service, customer: Customer, one: tuple[str, bytes]
) -> None:
    path = stored(one[0]).path
    answer = httpx.delete(f"{service.url}/v1/audio/{one[0]}", headers=customer.headers)
    assert answer.json() == {"id": one[0], "object": "audio", "deleted": True}
    assert not assets.store().exists(path)
    assert stored(one[0]).transcript == ""
    gone = get(service, customer, one[0])
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "audio_expired")
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 1


def test_expired_audio_is_gone_and_then_purged(
    service: Service, customer: Customer, one: tuple[str, bytes]
) -> None:
    asset = stored(one[0])
    AudioAsset.objects.filter(pk=asset.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert get(service, customer, one[0]).status_code == 410
    assert assets.store().exists(asset.path)
    assets.purge_expired()
    assert not assets.store().exists(asset.path)
    assert (stored(one[0]).transcript, stored(one[0]).purged_at is None) == ("", False)
    assert get(service, customer, one[0]).status_code == 410


def test_beat_purges(one: tuple[str, bytes]) -> None:
    """The periodic task goes through the real worker."""
    from inference.tasks import purge_expired_audio
    from tests.live import wait_for

    AudioAsset.objects.filter(pk=stored(one[0]).pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    purge_expired_audio.delay()
    wait_for(lambda: stored(one[0]).purged_at, what="the worker purges")
