"""Batches through the official client: half price, every line once, errors by line, cancel and expiry."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from django.db.models import F
from openai import OpenAI

from billing import terms, verification
from billing.models import Account, LedgerTransaction, UsageRecord
from gateway.batches import doorbell, forgetting
from gateway.models import BatchLine, SpeechBatch
from inference.models import AudioAsset, SynthesisJob
from tests.conftest import Customer
from tests.gateway.batching import ended, results, speech_line, start, tone_line
from tests.gateway.speaking import decode, scripted
from tests.live import Service, wait_for

HALF_A_FRAME = Decimal("0.000015")


def record_of(batch_id: str) -> SpeechBatch:
    return SpeechBatch.objects.get(id=batch_id.removeprefix("batch_"))


def test_a_batch_is_spoken_and_costs_half(service: Service, client: OpenAI, customer: Customer) -> None:
    batch = start(client, [tone_line(1, 5), tone_line(2, 7), tone_line(3, 11)], metadata={"book": "one"})
    assert batch.metadata == {"book": "one"}
    done = ended(client, batch)
    assert done.status == "completed"
    assert done.request_counts
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (3, 3, 0)
    assert done.error_file_id is None
    assert done.completed_at
    assert done.in_progress_at
    lines = results(client, done.output_file_id)
    assert [line["custom_id"] for line in lines] == ["line 1", "line 2", "line 3"]
    bodies = [line["response"]["body"] for line in lines]
    assert [body["usage"]["output_tokens"] for body in bodies] == [5, 7, 11]
    costs = [Decimal(body["usage"]["cost_usd"]) for body in bodies]
    assert costs == [frames * HALF_A_FRAME for frames in (5, 7, 11)]
    records = UsageRecord.objects.filter(organization=customer.organization)
    assert sorted(record.cost for record in records) == costs
    assert {record.model for record in records} == {"boson/higgs-audio-v2.5"}
    account = Account.objects.get(organization=customer.organization)
    assert (account.balance, account.held) == (1 - sum(costs), 0)
    audio = httpx.get(f"{service.url}/v1/audio/{bodies[1]['audio']['id']}", headers=customer.headers)
    samples, *_ = decode(audio.content)
    assert len(samples) == 7 * 960
    asset = AudioAsset.objects.get(job_id=bodies[1]["audio"]["id"].removeprefix("audio_"))
    assert asset.expires_at == record_of(batch.id).expires_at + timedelta(days=7)


def test_its_audio_comes_as_one_tar_or_zip_file(service: Service, client: OpenAI, customer: Customer) -> None:
    lines = [tone_line(1, 3), {**tone_line(2, 4), "custom_id": "a/../b c"}]
    batch = ended(client, start(client, lines))
    url = f"{service.url}/v1/batches/{batch.id}/audio"
    answer = httpx.get(url, headers=customer.headers)
    assert answer.headers["content-type"] == "application/x-tar"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        assert archive.getnames() == ["00001-line_1.wav", "00002-a_.._b_c.wav"]
        for name, frames in zip(archive.getnames(), (3, 4), strict=True):
            member = archive.extractfile(name)
            assert member
            assert len(decode(member.read())[0]) == frames * 960
    zipped = httpx.get(url, headers=customer.headers, params={"format": "zip"})
    assert zipped.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["00001-line_1.wav", "00002-a_.._b_c.wav"]
        assert [len(decode(archive.read(name))[0]) for name in archive.namelist()] == [3 * 960, 4 * 960]
    refused = httpx.get(url, headers=customer.headers, params={"format": "rar"}).json()["error"]
    assert (refused["param"], refused["code"]) == ("format", "unsupported_value")


def test_a_batch_of_chat_completions(client: OpenAI) -> None:
    """At a batch's price, whatever tier a line asks for."""
    body = scripted(6, service_tier="priority")
    line = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": body}
    done = ended(client, start(client, [line], endpoint="/v1/chat/completions"))
    [result] = results(client, done.output_file_id)
    completion = result["response"]["body"]
    assert completion["choices"][0]["message"]["audio"]["transcript"] == "A tone."
    assert completion["usage"]["cost_usd"] == "0.000090000"
    assert completion["service_tier"] == "default"


BAD = {
    "not json\n": (None, "invalid_json"),
    json.dumps({**speech_line(1), "method": "GET"}) + "\n": ("method", "unsupported_value"),
    json.dumps({**speech_line(1), "url": "/v1/embeddings"}) + "\n": ("url", "mismatched_endpoint"),
    json.dumps({name: value for name, value in speech_line(1).items() if name != "custom_id"}) + "\n": (
        "custom_id",
        "missing_required_parameter",
    ),
    json.dumps(speech_line(1, voice="nobody")) + "\n": ("body.voice", "unsupported_value"),
    json.dumps(speech_line(1, "")) + "\n": ("body.input", "nothing_to_speak"),
    json.dumps(speech_line(1, model="gpt-4o")) + "\n": ("body.model", "model_not_found"),
    json.dumps(speech_line(1, stream_format="sse")) + "\n": ("body.stream_format", "unsupported_value"),
    json.dumps(speech_line(2)) + "\n": ("custom_id", "duplicate_custom_id"),
    json.dumps({**speech_line(1), "custom_id": "\0"}) + "\n": ("custom_id", "invalid_value"),
    "[" * 1_100_000 + "\n": (None, "line_too_long"),
}


def test_each_wrong_line_is_named_with_its_member(client: OpenAI, customer: Customer) -> None:
    batch = ended(client, start(client, [speech_line(2), "\n", *BAD]))
    assert batch.status == "failed"
    assert batch.failed_at
    assert batch.errors
    assert batch.errors.data
    told = [(error.line, error.param, error.code) for error in batch.errors.data]
    assert told == [(number, *expected) for number, expected in enumerate(BAD.values(), start=3)]
    assert all(error.message for error in batch.errors.data)
    assert not SynthesisJob.objects.filter(organization=customer.organization).exists()


def test_a_file_without_requests_fails(client: OpenAI) -> None:
    batch = ended(client, start(client, ["\n", "  \n"]))
    assert batch.errors
    assert batch.errors.data
    assert [(error.line, error.code) for error in batch.errors.data] == [(None, "empty_file")]


def test_a_line_that_fails_is_in_the_error_file(client: OpenAI, customer: Customer) -> None:
    lines = [tone_line(1, 4), tone_line(2, 4, fail=9), tone_line(3, 4)]
    batch = ended(client, start(client, lines))
    assert batch.status == "completed"
    assert batch.request_counts
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    [error] = results(client, batch.error_file_id)
    assert error["custom_id"] == "line 2"
    assert error["response"]["status_code"] == 500
    assert error["response"]["body"]["error"]["code"] == "internal_error"
    assert len(results(client, batch.output_file_id)) == 2
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 2


def test_a_cancelled_batch_keeps_what_was_spoken(client: OpenAI, customer: Customer) -> None:
    lines = [tone_line(1, 2), *(tone_line(number, 200, pace=0.05) for number in range(2, 40))]
    batch = start(client, lines)
    wait_for(lambda: client.batches.retrieve(batch.id).request_counts.completed >= 1)  # type: ignore[union-attr]
    assert client.batches.cancel(batch.id).status == "cancelling"
    done = ended(client, batch)
    assert done.status == "cancelled"
    assert done.cancelled_at
    assert done.request_counts
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 38)
    assert len(results(client, done.output_file_id)) == 1
    refused = results(client, done.error_file_id)
    assert {error["error"]["code"] for error in refused} == {"batch_cancelled"}
    [record] = UsageRecord.objects.filter(organization=customer.organization)
    assert record.cost == 2 * HALF_A_FRAME
    assert Account.objects.get(organization=customer.organization).held == 0
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)


def test_what_is_not_spoken_in_time_expires(client: OpenAI, customer: Customer) -> None:
    lines = [tone_line(1, 2), *(tone_line(number, 200, pace=0.05) for number in range(2, 20))]
    batch = start(client, lines)
    wait_for(lambda: client.batches.retrieve(batch.id).request_counts.completed >= 1)  # type: ignore[union-attr]
    SpeechBatch.objects.filter(id=record_of(batch.id).id).update(expires_at=F("created_at"))
    done = ended(client, batch)
    assert done.status == "expired"
    assert done.expired_at
    refused = results(client, done.error_file_id)
    assert {error["error"]["code"] for error in refused} == {"batch_expired"}
    assert UsageRecord.objects.filter(organization=customer.organization).count() == 1


def test_without_credit_it_pauses_and_goes_on_when_there_is_some(
    service: Service, new_customer: Callable[..., Customer]
) -> None:
    from billing import ledger

    poor = new_customer(credit="0")
    with OpenAI(base_url=f"{service.url}/v1", api_key=poor.secret, max_retries=0) as client:
        batch = start(client, [tone_line(1, 5)])

        def paused() -> dict[str, Any] | None:
            doorbell.ring()
            found: dict[str, Any] | None = client.batches.retrieve(batch.id).model_dump()["paused"]
            return found

        assert wait_for(paused)["code"] == "insufficient_quota"  # type: ignore[index]
        ledger.grant(organization=poor.organization, amount=Decimal(1), cause=f"test:{batch.id}")
        done = ended(client, batch)
        assert done.status == "completed"
        assert done.model_dump()["paused"] is None


def test_an_organizations_own_price_is_halved_too_and_ends_with_it(client: OpenAI, customer: Customer) -> None:
    own = terms.set_price(
        organization=customer.organization,
        model="boson/higgs-audio-v2.5",
        dollars_per_minute=Decimal("0.030000001"),
    )
    assert ended(client, start(client, [tone_line(1, 25)])).status == "completed"
    records = UsageRecord.objects.filter(organization=customer.organization).order_by("job_id")
    # 0.0150000005 dollars a minute are rounded to nine places once, in the price book.
    assert [record.dollars_per_minute for record in records] == [Decimal("0.015000001")]
    assert [record.cost for record in records] == [Decimal("0.000250000")]
    terms.end_price(own)
    assert ended(client, start(client, [tone_line(1, 25)])).status == "completed"
    assert [record.cost for record in records.all()] == [Decimal("0.000250000"), 25 * HALF_A_FRAME]


def test_a_live_request_goes_before_a_batch(service: Service, client: OpenAI, customer: Customer) -> None:
    lines = [tone_line(number, 50, pace=0.04) for number in range(40)]
    batch = start(client, lines)
    wait_for(lambda: client.batches.retrieve(batch.id).request_counts.total)  # type: ignore[union-attr]
    running = BatchLine.objects.filter(batch=record_of(batch.id).id, state="running")
    wait_for(lambda: running.count() > 1)
    for _ in range(3):
        assert running.count() <= 4, "half of the eight slots"
        answer = httpx.post(
            f"{service.url}/v1/chat/completions", json=scripted(5), headers=customer.headers, timeout=30
        )
        assert answer.status_code == 200
        job = SynthesisJob.objects.get(
            id=answer.json()["choices"][0]["message"]["audio"]["id"].removeprefix("audio_")
        )
        assert job.started_at
        own = SynthesisJob.objects.filter(organization=customer.organization).exclude(id=job.id)
        before_it = own.filter(started_at__gt=job.created_at, started_at__lt=job.started_at)
        assert before_it.count() <= 4, "no more lines go before it than may be under way"
    client.batches.cancel(batch.id)
    ended(client, batch)


def test_batches_are_listed_newest_first(client: OpenAI) -> None:
    ids = [start(client, [speech_line(1)]).id for _ in range(3)]
    assert [batch.id for batch in client.batches.list(limit=2)] == [*reversed(ids)]
    page = client.batches.list(limit=2)
    assert [batch.id for batch in page.data] == [ids[2], ids[1]]
    assert page.has_more
    for batch_id in ids:
        ended(client, client.batches.retrieve(batch_id))


def test_another_organizations_file_and_batch_are_nowhere(
    service: Service, client: OpenAI, new_customer: Callable[..., Customer]
) -> None:
    batch = ended(client, start(client, [speech_line(1)]))
    stranger = new_customer()
    with OpenAI(base_url=f"{service.url}/v1", api_key=stranger.secret, max_retries=0) as other:
        assert other.batches.list().data == []
        assert other.files.list().data == []
        with pytest.raises(openai.NotFoundError):
            other.batches.create(
                input_file_id=batch.input_file_id, endpoint="/v1/chat/completions", completion_window="24h"
            )
        with pytest.raises(openai.NotFoundError):
            other.batches.list(after=batch.id)
        with pytest.raises(openai.NotFoundError):
            other.files.list(after=batch.input_file_id)


def test_the_books_agree(service: Service, client: OpenAI, customer: Customer) -> None:
    ended(client, start(client, [tone_line(number, 3) for number in range(5)]))
    ledger = LedgerTransaction.objects.filter(organization=customer.organization, kind="usage")
    assert ledger.count() == 5
    report = verification.verify()
    mine = [finding for finding in report.findings if str(customer.organization.id) in str(finding.first)]
    assert mine == []


def test_the_lines_of_a_batch_are_forgotten_with_its_results(client: OpenAI) -> None:
    batch = ended(client, start(client, [tone_line(1, 1), tone_line(2, 1)]))
    row = record_of(batch.id)
    forgetting.forget_old()
    assert row.lines.count() == 2
    SpeechBatch.objects.filter(id=row.id).update(expires_at=row.expires_at - timedelta(days=9))
    assert forgetting.forget_old() >= 2
    assert row.lines.count() == 0
    shown = client.batches.retrieve(batch.id)
    assert shown.request_counts
    assert shown.request_counts.completed == 2
