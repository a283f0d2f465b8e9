"""Months along a UUIDv7 key."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.identifiers import new_id, uuid7_floor
from billing.partitions import drop_partitions, ensure_partitions

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> str:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE notes (id uuid PRIMARY KEY, text text) PARTITION BY RANGE (id)")
    return "notes"


def run(query: str, *parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []


def insert(*ids: UUID) -> None:
    for id in ids:
        run("INSERT INTO notes VALUES (%s, 'x')", id)


def where(id: UUID) -> str:
    return str(run("SELECT tableoid::regclass::text FROM notes WHERE id = %s", id)[0][0])


def partitions() -> list[str]:
    names = run("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'notes'::regclass")
    return sorted(str(name) for (name,) in names)


def id_of(moment: datetime) -> UUID:
    """The last id that a UUIDv7 of that millisecond can be."""
    return UUID(int=uuid7_floor(moment).int | 0x7FFF_BFFF_FFFF_FFFF_FFFF)


def test_the_floor_is_below_every_id_of_its_millisecond_and_above_those_before() -> None:
    now = timezone.now()
    assert (
        uuid7_floor(now - timedelta(milliseconds=5))
        < new_id()
        < uuid7_floor(timezone.now() + timedelta(seconds=1))
    )
    assert uuid7_floor(datetime(1970, 1, 1, tzinfo=UTC)).int == 0


def test_this_month_and_those_ahead_are_made_once(table: str) -> None:
    for _ in range(2):
        ensure_partitions(table, months_ahead=13)
    assert len(partitions()) == 15
    today = timezone.now()
    insert(made := new_id(), stray := uuid4())
    assert where(made) == f"notes_y{today:%Y}m{today:%m}"
    assert where(stray) == "notes_default"


def test_a_month_ends_at_its_last_millisecond(table: str) -> None:
    ensure_partitions(table, since=date(2025, 11, 20))
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    insert(last := id_of(new_year - timedelta(milliseconds=1)), first := uuid7_floor(new_year))
    assert (where(last), where(first)) == ("notes_y2025m12", "notes_y2026m01")


def test_an_id_is_unique_over_all_partitions(table: str) -> None:
    ensure_partitions(table)
    insert(id := new_id())
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(id)


def test_what_waited_in_the_default_partition_moves_to_its_month(table: str) -> None:
    ensure_partitions(table)
    insert(early := id_of(datetime(2025, 3, 9, tzinfo=UTC)), stray := uuid4(), now := new_id())
    assert where(early) == "notes_default"
    ensure_partitions(table, since=date(2025, 3, 1))
    assert (where(early), where(stray)) == ("notes_y2025m03", "notes_default")
    assert where(now) != "notes_default"
    assert "notes_waiting" not in partitions()


def test_months_that_were_over_are_dropped_whole(table: str) -> None:
    ensure_partitions(table, since=date(2025, 10, 1))
    insert(old := id_of(datetime(2025, 10, 31, tzinfo=UTC)), kept := id_of(datetime(2025, 12, 1, tzinfo=UTC)))
    assert drop_partitions(table, before=date(2025, 12, 31)) == ["notes_y2025m10", "notes_y2025m11"]
    assert drop_partitions(table, before=date(2025, 12, 31)) == []
    assert not run("SELECT FROM notes WHERE id = %s", old)
    assert where(kept) == "notes_y2025m12"


def test_the_usage_records_are_cut_by_month() -> None:
    month = timezone.now()
    names = run(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'billing_usagerecord'::regclass"
    )
    assert (f"billing_usagerecord_y{month:%Y}m{month:%m}",) in names
    assert ("billing_usagerecord_default",) in names
    ensure_partitions("billing_usagerecord", since=date(2026, 1, 1))  # indexes, checks, keys and triggers fit
