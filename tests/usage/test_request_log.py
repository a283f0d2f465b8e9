"""A row for every call to /v1, refused ones too, and not a word of the customer's in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils import timezone
from psycopg_pool import AsyncConnectionPool

from accounts.identifiers import new_id, uuid7_floor
from billing.partitions import ensure_partitions
from tests.conftest import Customer
from tests.gateway.speaking import body
from tests.live import Service, wait_for
from usage import rollups
from usage.models import RequestLog, RollupDue, UsageRollup
from usage.request_log import RequestLogWriter, Row
from usage.tasks import oldest_kept, turn_request_log


def write(rows: list[Row]) -> None:
    """Write them as a gateway does, in one batch."""

    async def run() -> None:
        url = f"postgresql://postgres@/{connection.settings_dict['NAME']}?host={connection.settings_dict['HOST']}"
        async with (
            AsyncConnectionPool(url, min_size=1, max_size=1, kwargs={"autocommit": True}) as database,
            RequestLogWriter(database) as log,
        ):
            for row in rows:
                log.add(row)

    asyncio.run(run())


def logged(answer: httpx.Response) -> RequestLog:
    """The row of an answer: x-request-id is its id. It is written behind the answer, so it is waited for."""
    request_id = UUID(answer.headers["x-request-id"].removeprefix("req_"))
    return wait_for(lambda: RequestLog.objects.filter(id=request_id).first(), what="the row is written")


def test_a_spoken_request(service: Service, customer: Customer) -> None:
    answer = httpx.post(
        f"{service.url}/v1/chat/completions",
        json=body("Confidential words.", audio={"voice": "coral", "format": "mp3"}),
        headers={**customer.headers, "user-agent": "tests/1.0"},
        timeout=30,
    )
    row, usage = logged(answer), answer.json()["usage"]
    assert (row.method, row.route, row.status, row.error_code) == ("POST", "/v1/chat/completions", 200, "")
    assert (row.organization_id, row.api_key_id) == (customer.organization.id, customer.key.id)
    assert answer.json()["id"] == f"chatcmpl-{row.job_id.hex if row.job_id else None}"
    assert (row.model, row.voice, row.format) == ("boson/higgs-audio-v2.5", "coral", "mp3")
    assert row.characters == len("Confidential words.")
    assert row.samples == usage["completion_tokens"] * 960
    assert row.cost == Decimal(usage["cost_usd"])
    assert None not in (row.queue_ms, row.first_audio_ms, row.synthesis_ms)
    assert row.total_ms >= (row.synthesis_ms or 0)
    assert (row.client_address, row.user_agent) == ("127.0.0.1", "tests/1.0")
    values = [str(getattr(row, field.attname)) for field in RequestLog._meta.fields]
    assert not any("Confidential" in value for value in values)


def test_refusals_are_logged_too(service: Service, customer: Customer) -> None:
    url = f"{service.url}/v1/chat/completions"
    refused = logged(httpx.post(url, json=body(model="gpt-4o"), headers=customer.headers))
    assert (refused.status, refused.error_code, refused.organization_id) == (
        404,
        "model_not_found",
        customer.organization.id,
    )
    wordy = logged(httpx.get(f"{service.url}/v1/usage", headers={**customer.headers, "user-agent": "x" * 999}))
    assert (wordy.status, wordy.route, len(wordy.user_agent)) == (200, "/v1/usage", 200)
    cost = RequestLog.objects.filter(organization_id=customer.organization.id).first()
    assert cost is not None
    assert cost.cost is None


@pytest.mark.usefixtures("committed")
def test_no_row_is_ever_changed(service: Service, customer: Customer) -> None:
    row = logged(httpx.get(f"{service.url}/v1/usage", headers=customer.headers))
    for change in (lambda: RequestLog.objects.filter(id=row.id).update(status=201), row.delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def log_at(moment: datetime) -> UUID:
    """A row of another time, as if it had been asked then."""
    row = RequestLog(id=UUID(int=uuid7_floor(moment).int + 7), created_at=moment, method="GET", route="/v1/models")
    row.status, row.total_ms = 200, 1
    row.save(force_insert=True)
    return row.id


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'gateway_requestlog'::regclass"
        )
        return sorted(name for (name,) in cursor.fetchall())


@pytest.mark.usefixtures("committed")
def test_months_are_made_ahead_and_old_ones_dropped_whole() -> None:
    today = timezone.now()
    kept = oldest_kept(today.date())
    assert (today.year * 12 + today.month) - (kept.year * 12 + kept.month) == 13
    too_old = kept - timedelta(days=1)
    ensure_partitions("gateway_requestlog", since=too_old)
    gone, stays = (log_at(datetime(day.year, day.month, day.day, 12, tzinfo=UTC)) for day in (too_old, kept))
    assert f"gateway_requestlog_y{too_old:%Y}m{too_old:%m}" in partitions()
    for change in ("UPDATE gateway_requestlog SET status = 500", "DELETE FROM gateway_requestlog"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"{change} WHERE id = %s", (stays,))
    turn_request_log()
    turn_request_log()
    assert f"gateway_requestlog_y{too_old:%Y}m{too_old:%m}" not in partitions()
    assert len(partitions()) == 1 + 13 + 1 + 2  # default, kept, running, ahead
    assert not RequestLog.objects.filter(id=gone).exists()
    assert RequestLog.objects.filter(id=stays).exists()


@pytest.mark.usefixtures("committed")
def test_an_id_is_logged_once_over_all_months() -> None:
    row = RequestLog.objects.get(id=log_at(timezone.now()))
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_batch_is_one_statement_and_notes_its_hours_once(new_customer: Callable[..., Customer]) -> None:
    one, other = new_customer(), new_customer()
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    rows = [
        Row(
            id=new_id(),
            created_at=hour + timedelta(minutes=number),
            method="POST",
            route="/v1/audio/speech",
            client_address="2001:db8::1" if number % 2 else None,
            user_agent='tests/1.0, "quoted" {braces} \\ and a comma',
            organization_id=customer.organization.id,
            api_key_id=customer.key.id,
            status=200 if number % 3 else 429,
            model="higgs",
            voice="alloy",
            samples=96_000,
            cost=Decimal("0.000000750") if number % 3 else None,
            total_ms=100,
        )
        for customer in (one, other)
        for number in range(60)
    ]

    write([*rows, rows[0]])
    for customer in (one, other):
        of = {"organization_id": customer.organization.id}
        assert list(RollupDue.objects.filter(**of).values_list("hour", flat=True)) == [hour]
        assert RequestLog.objects.filter(**of).aggregate(sum=Sum("cost"))["sum"] == 40 * Decimal("0.000000750")
        assert rollups.refresh(organization_id=customer.organization.id) == 1
        summed = UsageRollup.objects.get(period="hour", **of)
        assert (summed.requests, summed.errors, summed.latency_counts) == (60, 20, [40])
    stored = RequestLog.objects.get(id=rows[1].id)
    assert Row(**{column.name: getattr(stored, column.name) for column in fields(Row)}) == rows[1]


@pytest.mark.usefixtures("committed")
def test_a_row_that_is_refused_takes_no_other_with_it() -> None:
    def row(**members: int) -> Row:
        return Row(
            id=new_id(),
            created_at=timezone.now(),
            method="POST",
            route="/v1/audio/speech",
            client_address=None,
            user_agent="",
            **members,
        )

    good, wrong = [row() for _ in range(5)], row(queue_ms=-1)
    write([*good[:3], wrong, *good[3:]])
    ids = {each.id for each in good}
    assert set(RequestLog.objects.filter(id__in=[*ids, wrong.id]).values_list("id", flat=True)) == ids
