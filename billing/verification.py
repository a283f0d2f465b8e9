"""The proof of the books: what must be equal is compared, row by row, over the whole database.

The checks are those of `billing.checks`; here arrive only a count, a sum and the first offenders of each. All look
at one snapshot, so that traffic meanwhile is no drift.

A whole proof proves the seals of closed months (`billing.seals`) and the rows since: it costs what the open months
cost. A recent one compares the last hours' rows and what is held now, and leaves out the sums. `publish_due` makes
the one or the other. A full proof reads all rows of history again, those of sealed months too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from accounts.identifiers import uuid7_floor
from billing import seals
from billing.checks import CHECKS, Check
from billing.models import Reservation, Verification

OFFENDERS_SHOWN = 10
RECENT = timedelta(hours=3)
"""What a recent proof looks at. A job lives for less than an hour, and there is a proof each hour: so each row is
seen after it has taken its last form."""
WHOLE_IN = 100
"""A whole proof may take a hundredth of the time."""
WHOLE_AFTER = timedelta(days=1)
"""There is one a day, however long it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found."""

    name: str
    holds: str
    count: int
    drift: Decimal
    first: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run found, and how many holds were settled after their release, which is no error."""

    at: datetime
    findings: list[Finding]
    late_settlements: int

    @property
    def clean(self) -> bool:
        return not self.offenders

    @property
    def drift(self) -> Decimal:
        return sum((finding.drift for finding in self.findings), Decimal(0))

    @property
    def offenders(self) -> int:
        return sum(finding.count for finding in self.findings)


SEALS = "seals_are_unbroken"
_SEALS_HOLD = "each sealed month's sums, and the rows where they are read, are those that were sealed"


def verify(*, since: datetime | None = None, full: bool = False, month: date | None = None) -> Report:
    """Prove the seals of closed months and every row since.

    Args:
        since: compare only the rows from then on and what is held now, and leave out sums and seals.
        full: read the rows of sealed months too: their seals are proved by them, and nothing is taken from a seal.
        month: a sealed month whose rows are to be read too.
    """
    with one_snapshot():
        if since is not None:
            # By the statistics of a long history its last hours look like much, and to begin workers takes longer
            # than to read what is there.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        sealed = seals.NEVER if full else seals.sealed_until()
        first_id = seals.floor(sealed) if since is None else max(uuid7_floor(since), seals.floor(sealed))
        values: dict[str, UUID | date] = {"since": first_id, "sealed": seals.floor(sealed), "until": sealed}
        findings = [_run(check, values) for check in CHECKS if since is None or not check.sums]
        if since is None:
            findings.append(_prove_seals(full=full, month=month))
        return Report(
            at=timezone.now(),
            findings=findings,
            late_settlements=Reservation.objects.filter(late=True).count(),
        )


def _prove_seals(*, full: bool, month: date | None) -> Finding:
    months = seals.sealed_months()
    broken = seals.broken(rows_of=months if full else [month] if month else [])
    return Finding(
        name=SEALS,
        holds=_SEALS_HOLD,
        count=len(broken),
        drift=Decimal(0),
        first=[f"{seal.month:%Y-%m}: {seal.what}" for seal in broken[:OFFENDERS_SHOWN]],
    )


def publish(*, since: datetime | None = None) -> Report:
    """Prove the books and keep what was found, for the metrics.

    What the last whole proof found stands until the next one, where a recent one does not look at all of it.
    """
    began = time.monotonic()
    report = verify(since=since)
    took = timedelta(seconds=time.monotonic() - began)
    if since is not None and (last := _last_whole()) is not None:
        report = replace(report, findings=_with_standing(report.findings, last))
    Verification.objects.create(
        at=report.at,
        drift=report.drift,
        offenders=report.offenders,
        late_settlements=report.late_settlements,
        report=[asdict(finding) for finding in report.findings],
        whole=since is None,
        took=took,
    )
    return report


def publish_due() -> Report:
    """Publish a whole proof where the last one is long enough ago, else a recent one."""
    last = _last_whole()
    now = timezone.now()
    whole = last is None or now - last.at >= min(WHOLE_AFTER, last.took * WHOLE_IN)
    return publish(since=None if whole else now - RECENT)


def _last_whole() -> Verification | None:
    return Verification.objects.filter(whole=True).order_by("-at").first()


def _with_standing(found: list[Finding], last: Verification) -> list[Finding]:
    """The findings, and those of the last whole proof that a recent one cannot have seen."""
    looked_at_all = {check.name for check in CHECKS if not (check.sums or check.by_row)}
    merged = {finding.name: finding for finding in found}
    for row in last.report:
        before = Finding(**{**row, "drift": Decimal(row["drift"])})
        now = merged.get(before.name)
        if before.name not in looked_at_all and (now is None or now.count < before.count):
            merged[before.name] = before
    return list(merged.values())


async def last_proof(connection: psycopg.AsyncConnection) -> tuple[Decimal, int, int, datetime] | None:
    """The drift in dollars, offenders, late settlements and time of the last `publish`; None before the first."""
    cursor = await connection.execute(
        "SELECT drift, offenders, late_settlements, at FROM billing_verification ORDER BY at DESC LIMIT 1"
    )
    return await cursor.fetchone()


def _run(check: Check, values: dict[str, UUID | date]) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH offender AS MATERIALIZED ({check.offenders})
            SELECT count(*), coalesce(sum(abs(drift)), 0),
                ARRAY(SELECT subject || ': ' || drift FROM offender ORDER BY subject LIMIT {OFFENDERS_SHOWN})
            FROM offender
            """,  # noqa: S608 - our own SQL
            values,
        )
        count, drift, first = cursor.fetchone()
    return Finding(name=check.name, holds=check.holds, count=count, drift=drift, first=first)


@contextmanager
def one_snapshot(*, closed_to_writers: Sequence[str] | None = None) -> Iterator[None]:
    """A transaction that sees one moment; the caller's, where there is one.

    Args:
        closed_to_writers: tables whose rows must not change meanwhile. Without any given nothing can be written.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            mode = "READ ONLY" if closed_to_writers is None else "READ WRITE"
            cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ {mode}")
            # The locks come before the first query, so that the snapshot has all that was written before them.
            for table in closed_to_writers or ():
                name = sql.Identifier(table)
                cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
        yield
