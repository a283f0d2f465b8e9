"""A month's dashboard of one customer among 10 million usage records.

100 customers share a month; the one that is asked for has every fifth record, over 5 keys and 13 voices, and a row
in the request log for each; the others have one key and two voices. All are made with COPY straight into the
month's partitions, without write-ahead log and triggers; CHECKs and indexes are as ever.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from tests.benchmarks import budget

if TYPE_CHECKING:
    from usage.usage import Query

RECORDS = budget.number(10_000_000)
CUSTOMERS = budget.number(100, least=2)
KEYS = 5
VOICES = 13
DAYS = 28
"""Every month has so many."""
REPEATS = budget.number(50)
CHUNK = 10_000
MODEL = "boson/higgs-audio-v2.5"

USAGE, LOG = "billing_usagerecord", "gateway_requestlog"
USAGE_COLUMNS = (
    "job_id, created_at, organization_id, api_key_id, model, voice, samples, duration_ms, dollars_per_minute, cost"
)
LOG_COLUMNS = (
    "id, created_at, organization_id, api_key_id, job_id, model, voice, method, route, status, error_code, format,"
    " total_ms, user_agent"
)


def run(records: int = RECORDS, *, logged: bool = False) -> dict[str, tuple[float, float]]:
    """Print and return each query's milliseconds: median, least. Only what is `logged` outlives a crash."""
    from accounts import organizations
    from usage import rollups, usage

    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = month + timedelta(days=DAYS)
    ids = [
        organizations.create(name=f"Customer {number}", owner_email=f"{uuid4().hex}@example.com").id
        for number in range(CUSTOMERS)
    ]
    began = time.perf_counter()
    if not logged:
        for table in (USAGE, LOG):
            _run(f"ALTER TABLE {table}_y{month:%Y}m{month:%m} SET UNLOGGED")
    _copy(USAGE, USAGE_COLUMNS, month, _usage(ids, month, records))
    _copy(LOG, LOG_COLUMNS, month, _log(ids, month, records))
    made = time.perf_counter()
    rollups.rebuild(first=month, after=after, organization_ids=ids)
    _run("VACUUM ANALYZE gateway_usagerollup")
    summed = time.perf_counter()
    print(f"{records:,} usage records: made in {made - began:.0f} s, rolled up in {summed - made:.0f} s")

    by_day = usage.Query(organization_id=ids[0], start=month, end=after, bucket="day", group_by=("model",))
    by_all = replace(by_day, bucket="total", group_by=("key", "model", "voice"))
    took = {
        "a month by day and model": _milliseconds(lambda: usage.report(by_day)),
        "a month by key, model and voice": _milliseconds(lambda: usage.report(by_all)),
        "its sum from the records": _milliseconds(lambda: _from_records(by_day), repeats=3),
    }
    requests, cost = _from_records(by_day)
    whole = usage.total(usage.report(by_day))
    if (whole.requests, whole.cost) != (requests, cost):
        raise AssertionError(f"rollups {whole.requests}, ${whole.cost}; records {requests}, ${cost}")
    for name, (median, best) in took.items():
        print(f"{name:34} {median:9.1f} ms, at best {best:.1f}")
    sys.stdout.flush()
    return took


def _usage(ids: list[UUID], month: datetime, records: int) -> Iterator[str]:
    for number, id, at, owner, key, voice in _requests(ids, month, records):
        frames = 25 + number * 7919 % 500
        yield (
            f"{id}\t{at}\t{owner}\t{key}\t{MODEL}\tvoice-{voice}\t{frames * 960}\t{frames * 40}\t0.045"
            f"\t0.{frames * 30_000:09d}\n"
        )


def _log(ids: list[UUID], month: datetime, records: int) -> Iterator[str]:
    for number, id, at, owner, key, voice in _requests(ids, month, records):
        if owner == ids[0]:
            total_ms = 300 + number * 104_729 % 2000
            yield (
                f"{id}\t{at}\t{owner}\t{key}\t{id}\t{MODEL}\tvoice-{voice}\tPOST\t/v1/chat/completions\t200\t\twav"
                f"\t{total_ms}\t\n"
            )


def _requests(ids: list[UUID], month: datetime, records: int) -> Iterator[tuple[int, str, str, UUID, UUID, int]]:
    """(number, UUIDv7, moment, organization, key, voice), evenly over the month; the same every time."""
    first_ms = int(month.timestamp() * 1000)
    step_ms = DAYS * 86_400_000 / records
    keys = [[UUID(int=owner.int ^ number) for number in range(KEYS)] for owner in ids]
    day = ""
    for number in range(records):
        ms = int(number * step_ms)
        days, of_day = divmod(ms, 86_400_000)
        if of_day < step_ms or not day:
            day = f"{month + timedelta(days=days):%Y-%m-%d}"
        seconds, ms_of_second = divmod(of_day, 1000)
        at = f"{day} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms_of_second:03d}+00"
        owner = 0 if number % 5 == 0 else 1 + number % (CUSTOMERS - 1)
        key, voice = (number // 5 % KEYS, number // 7 % VOICES) if owner == 0 else (0, number // 7 % 2)
        id = f"{first_ms + ms:012x}7000a{number:015x}"
        yield number, id, at, ids[owner], keys[owner][key], voice


def _copy(table: str, columns: str, month: datetime, lines: Iterator[str]) -> None:
    partition = f"{table}_y{month:%Y}m{month:%m}"
    _run("SET session_replication_role = replica")
    with connection.cursor() as cursor, cursor.copy(f"COPY {partition} ({columns}) FROM STDIN") as copy:
        chunk: list[str] = []
        for line in lines:
            chunk.append(line)
            if len(chunk) == CHUNK:
                copy.write("".join(chunk))
                chunk.clear()
        copy.write("".join(chunk))
    _run("RESET session_replication_role")
    _run(f"VACUUM ANALYZE {partition}")


def _from_records(query: Query) -> tuple[int, Decimal]:
    """What the rollups must say: (requests, cost) from the records themselves."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), sum(cost) FROM billing_usagerecord
            WHERE organization_id = %s AND created_at >= %s AND created_at < %s
            """,
            (query.organization_id, query.start, query.end),
        )
        found: tuple[int, Decimal] = cursor.fetchone()
    return found


def _milliseconds(work: Callable[[], Any], *, repeats: int = REPEATS) -> tuple[float, float]:
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), min(taken)


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
