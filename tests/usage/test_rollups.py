"""Rollups: their sum is the sum of the records, whatever comes late, twice or at once."""

from __future__ import annotations

import random
import statistics
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.db.models import Sum

from accounts import organizations
from accounts.identifiers import new_id, uuid7_floor
from accounts.models import Organization
from billing.models import UsageRecord
from tests.benchmarks import dashboard
from usage import rollups, usage
from usage.models import RequestLog, RollupDue, UsageRollup
from usage.tasks import refresh_rollups

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
KEYS = (uuid4(), uuid4())
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def organization(committed: None) -> Iterator[Organization]:
    """An organization whose usage nobody was billed for: it goes again, or the ledger's check would find it."""
    name = uuid4().hex
    made = organizations.create(name=name, owner_email=f"{name}@example.com")
    yield made
    forget_usage(made.id)
    rollups.refresh_all()


def forget_usage(*organization_ids: UUID) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # the table is append-only
        cursor.execute(
            "DELETE FROM billing_usagerecord WHERE organization_id = ANY (%s)", (list(organization_ids),)
        )


def bill(
    organization: Organization, at: datetime, *, frames: int = 25, voice: str = "alloy", key: int = 0
) -> None:
    """A usage record as the settlement writes it, at another time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO billing_usagerecord (
                job_id, organization_id, api_key_id, model, voice, samples, duration_ms, dollars_per_minute, cost,
                created_at)
            VALUES (%s, %s, %s, 'm', %s, %s, %s, 0.045, %s, %s)
            """,
            (
                new_id(),
                organization.id,
                KEYS[key],
                voice,
                frames * 960,
                frames * 40,
                frames * Decimal("0.00003"),
                at,
            ),
        )


def call(organization: Organization, at: datetime, *, status: int = 200, total_ms: int = 100, **more: Any) -> None:
    RequestLog.objects.create(
        **{
            "id": new_id(),
            "created_at": at,
            "organization_id": organization.id,
            "api_key_id": KEYS[0],
            "method": "POST",
            "route": "/v1/chat/completions",
            "status": status,
            "model": "m",
            "voice": "alloy",
            "total_ms": total_ms,
            **more,
        }
    )


def sums(organization: Organization, period: str) -> tuple[Any, ...]:
    rows = UsageRollup.objects.filter(organization_id=organization.id, period=period)
    return tuple(rows.aggregate(r=Sum("requests"), e=Sum("errors"), d=Sum("duration_ms"), c=Sum("cost")).values())


def check(organization: Organization) -> None:
    """Hours, days and records say the same."""
    records = UsageRecord.objects.filter(organization=organization).aggregate(d=Sum("duration_ms"), c=Sum("cost"))
    entries = RequestLog.objects.filter(organization_id=organization.id, route__in=rollups.SPEECH_ROUTES)
    truth = (entries.count(), entries.filter(status__gte=400).count(), records["d"] or 0, records["c"] or 0)
    assert sums(organization, "hour") == sums(organization, "day") == truth
    assert not RollupDue.objects.filter(organization_id=organization.id).exists()


def refresh(organization: Organization) -> int:
    return rollups.refresh(organization_id=organization.id)


def test_the_sum_of_rollups_is_the_sum_of_records(organization: Organization) -> None:
    dice = random.Random(7)
    for _ in range(200):
        at = NOON + timedelta(minutes=dice.randrange(-2000, 2000))
        voice = dice.choice(["alloy", "nova"])
        bill(organization, at, frames=dice.randrange(1, 900), voice=voice, key=dice.randrange(2))
        call(organization, at, status=dice.choice([200, 200, 429]), total_ms=dice.randrange(5000), voice=voice)
    call(organization, NOON, route="/v1/models")  # no request for speech
    assert refresh(organization) > 10
    check(organization)


def test_what_comes_late_is_summed_up_too(organization: Organization) -> None:
    bill(organization, NOON)
    refresh(organization)
    bill(organization, NOON - timedelta(days=40))
    call(organization, NOON - timedelta(hours=3))
    assert refresh(organization) == 2
    check(organization)
    assert refresh(organization) == 0, "nothing is due any more"
    check(organization)


def test_a_row_that_commits_during_a_refresh_waits_for_the_next(organization: Organization) -> None:
    wrote, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                bill(organization, NOON, frames=50)
                wrote.set()
                assert may_commit.wait(10)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(slow)
        assert wrote.wait(10)
        bill(organization, NOON)
        assert refresh(organization) == 1
        assert sums(organization, "day")[2] == 1000
        may_commit.set()
        other.result()
    refresh_rollups()
    check(organization)
    assert sums(organization, "day")[2] == 3000


def test_many_at_once(organization: Organization) -> None:
    stop = threading.Event()

    def write() -> None:
        try:
            for minute in range(60):
                bill(organization, NOON + timedelta(minutes=minute * 3))
                call(organization, NOON + timedelta(minutes=minute))
        finally:
            connections.close_all()

    def keep_refreshing() -> None:
        try:
            while not stop.is_set():
                refresh(organization)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(keep_refreshing) for _ in range(3)]
        writers = [pool.submit(write) for _ in range(3)]
        for writer in writers:
            writer.result()
        stop.set()
        for reader in readers:
            reader.result()
    refresh(organization)
    check(organization)


def test_rebuilt_from_nothing_and_from_nonsense_it_is_the_same(organization: Organization) -> None:
    for hour in range(0, 72, 5):
        bill(organization, NOON + timedelta(hours=hour))
        call(organization, NOON + timedelta(hours=hour), total_ms=hour * 10)
    refresh(organization)
    columns = ("period", "start", "requests", "duration_ms", "cost", "latency_bins", "latency_counts")
    rows = UsageRollup.objects.filter(organization_id=organization.id)
    before = list(rows.order_by("period", "start").values_list(*columns))
    first = datetime(2026, 11, 1, tzinfo=UTC)
    call(organization, first, id=uuid7_floor(first), route="/v1/models")  # so far back the log reaches
    rows.filter(period="hour").update(cost=7, requests=99)
    rows.filter(period="day", start__gt=NOON).delete()
    out = StringIO()
    call_command("rebuild_rollups", "--from", "2026-11-05", "--to", "2026-11-10", stdout=out)
    assert out.getvalue().startswith("5 days of ")
    assert list(rows.order_by("period", "start").values_list(*columns)) == before
    with pytest.raises(CommandError, match="--to"):
        call_command("rebuild_rollups", "--from", "2026-11-05", "--to", "2026-11-05")


def test_requests_stay_counted_when_their_log_is_gone(organization: Organization) -> None:
    long_ago = datetime(2019, 5, 5, 5, 30, tzinfo=UTC)
    call(organization, long_ago, id=uuid7_floor(long_ago))
    bill(organization, long_ago)
    refresh(organization)
    with connection.cursor() as cursor:  # as DROP TABLE does it for a month; no trigger is asked
        cursor.execute("ALTER TABLE gateway_requestlog DISABLE TRIGGER append_only")
        cursor.execute("DELETE FROM gateway_requestlog WHERE organization_id = %s", (organization.id,))
        cursor.execute("ALTER TABLE gateway_requestlog ENABLE TRIGGER append_only")
    bill(organization, long_ago)
    refresh(organization)
    assert sums(organization, "day")[:3] == (1, 0, 2000)
    rollups.rebuild(first=datetime(2019, 5, 5, tzinfo=UTC), after=datetime(2019, 5, 6, tzinfo=UTC))
    assert sums(organization, "hour")[:3] == sums(organization, "day")[:3] == (1, 0, 2000)


def test_percentiles_are_within_five_percent_over_any_grouping(organization: Organization) -> None:
    dice = random.Random(3)
    taken = [round(dice.lognormvariate(6, 1)) for _ in range(500)]
    for index, total_ms in enumerate(taken):
        at, voice = NOON + timedelta(minutes=index), dice.choice(["alloy", "nova"])
        call(organization, at, total_ms=total_ms, voice=voice)
    call(organization, NOON, status=500, total_ms=1_000_000)  # how long a failure took is no answer's latency
    refresh(organization)
    query = usage.Query(
        organization_id=organization.id, start=NOON - timedelta(hours=12), end=NOON + timedelta(hours=36)
    )
    whole = usage.total(usage.report(query))
    exact = statistics.quantiles(taken, n=100, method="inclusive")
    for percent in usage.PERCENTILES:
        assert whole.percentile(percent) == pytest.approx(exact[percent - 1], rel=0.06)
    assert usage.UsageBucket().percentile(50) is None


def test_the_dashboards_benchmark_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "CUSTOMERS", 3)
    monkeypatch.setattr(dashboard, "REPEATS", 1)
    try:
        assert len(dashboard.run(2_000, logged=True)) == 3
    finally:
        forget_usage(*Organization.objects.filter(name__startswith="Customer ").values_list("id", flat=True))
