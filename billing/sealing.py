"""Making seals: each month once, when nothing in it can change any more and all of it was proved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone
from psycopg import sql

from accounts.identifiers import uuid7_moment
from billing import partitions, seals, verification
from billing.models import LedgerTransaction, MonthSeal, Reservation, UsageRecord

log = logging.getLogger(__name__)

SEAL_AFTER = timedelta(days=3)
"""Longer than any hold lasts (`Reservation.expires_at`)."""
SEALED_TABLES = ("billing_usagerecord", "billing_ledgertransaction", "billing_ledgerentry")

_unfinished: list[Callable[[UUID], bool]] = []


def register(is_unfinished: Callable[[UUID], bool]) -> None:
    """Have another app say whether something of its own with an id below the given one may still bring rows."""
    if is_unfinished not in _unfinished:
        _unfinished.append(is_unfinished)


def seal_due() -> list[MonthSeal]:
    """Seal the months that are over, the oldest first, up to the first that cannot be sealed yet."""
    made: list[MonthSeal] = []
    while (month := _next()) and (seal := _seal(month)):
        made.append(seal)
    return made


def _next() -> date | None:
    """The month after the last sealed one, or that of the oldest row; None where it is not long enough over."""
    month = seals.sealed_until()
    if month == seals.NEVER:
        ids = [
            LedgerTransaction.objects.order_by("pk").values_list("pk", flat=True).first(),
            UsageRecord.objects.order_by("pk").values_list("pk", flat=True).first(),
        ]
        if (oldest := min((id for id in ids if id), default=None)) is None:
            return None
        month = uuid7_moment(oldest).date().replace(day=1)
    end = seals.after(month)
    return month if datetime(end.year, end.month, 1, tzinfo=UTC) + SEAL_AFTER <= timezone.now() else None


def _seal(month: date) -> MonthSeal | None:
    """Seal a month in one snapshot; None where it is not at rest, its rows are wrong, or another one seals it."""
    until = seals.floor(seals.after(month))
    partitions_of_month = _partitions_of(month)
    with verification.one_snapshot(closed_to_writers=partitions_of_month):
        last = MonthSeal.objects.order_by("-month").first()
        if last is not None and seals.after(last.month) != month:
            return None
        pending = Reservation.objects.filter(state=Reservation.State.PENDING, job_id__lt=until)
        if pending.exists() or any(is_unfinished(until) for is_unfinished in _unfinished):
            return None
        if not (report := verification.verify()).clean:
            log.error("%s cannot be sealed: %d rows are wrong", f"{month:%Y-%m}", report.offenders)
            return None
        _sum_up(month, first=last is None)
        rows, rows_digest = seals.digest_rows(month, first=last is None)
        seal = MonthSeal(month=month, rows=rows, rows_digest=rows_digest)
        seal.digest = seals.chained(last.digest if last else "", seal)
        seal.save(force_insert=True)
        _close(partitions_of_month)
        return seal


def _sum_up(month: date, *, first: bool) -> None:
    """Keep the month's sums. They come before their seal, whose digest covers them."""
    query = sql.SQL(
        "INSERT INTO billing_sealedsum (month, organization_id, budget_period_id, account, booked_in, amount)"
        " SELECT {month}, sums.* FROM ({sums}) AS sums WHERE amount <> 0"
    ).format(
        month=sql.Literal(month),
        sums=sql.SQL(seals.SUMS).format(**seals.bounds(month, first=first)),
    )
    with connection.cursor() as cursor:
        cursor.execute(query)


def _close(tables: list[str]) -> None:
    """Have PostgreSQL refuse new rows of the month, by a trigger on its partitions alone."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                sql.SQL(
                    "CREATE TRIGGER sealed BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION refuse_sealed()"
                ).format(sql.Identifier(table))
            )


def _partitions_of(month: date) -> list[str]:
    """The partitions that end with this month. A month may have none of its own, and is sealed all the same."""
    names = [partitions.name_of(table, month) for table in SEALED_TABLES]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", (names,))
        return [name for (name,) in cursor.fetchall()]
