"""Seals of months that are over: a digest of their rows, chained to the seal of the month before.

A month's rows are the usage records, ledger transactions and ledger entries whose id (of the job or of the
transaction, a UUIDv7) was made in that month. They only grow, and a sealed month does not even grow: so its digest
and its sums stand for it. `billing.sealing` makes the seals, `billing.verification` proves them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from django.db import connection
from psycopg import sql

from accounts.identifiers import uuid7_floor
from billing.models import MonthSeal, SealedSum

NEVER = date(1970, 1, 1)
"""Before any row: nothing is sealed."""

_MICROSECONDS = "(extract(epoch FROM created_at) * 1000000)::bigint"
_ROWS = (
    f"""
    SELECT job_id, organization_id, api_key_id, model, voice, samples, duration_ms, dollars_per_minute, cost,
        {_MICROSECONDS}
    FROM billing_usagerecord WHERE job_id >= {{since}} AND job_id < {{until}} ORDER BY job_id
    """,  # noqa: S608 - our own SQL
    f"""
    SELECT id, kind, cause, organization_id, corrects_id, {_MICROSECONDS}
    FROM billing_ledgertransaction WHERE id >= {{since}} AND id < {{until}} ORDER BY id
    """,  # noqa: S608 - our own SQL
    """
    SELECT transaction_id, id, account, amount FROM billing_ledgerentry
    WHERE transaction_id >= {since} AND transaction_id < {until} ORDER BY transaction_id, id
    """,
)
"""What a digest is of, in COPY's text format. Whoever changes a column here breaks every seal."""

SUMS = """
SELECT organization_id, NULL::bigint AS budget_period_id, account, NULL::date AS booked_in, sum(amount) AS amount
FROM billing_ledgerentry JOIN billing_ledgertransaction movement ON movement.id = transaction_id
WHERE account IN ('customer_credit', 'promotional_credit', 'receivable')
    AND transaction_id >= {since} AND transaction_id < {until}
    AND movement.id >= {since} AND movement.id < {until}
GROUP BY organization_id, account
UNION ALL
SELECT organization_id, NULL, 'usage', date_trunc('month', created_at AT TIME ZONE 'UTC')::date, sum(cost)
FROM billing_usagerecord WHERE cost > 0 AND job_id >= {since} AND job_id < {until} GROUP BY 1, 4
UNION ALL
SELECT NULL, period_id, 'budget', NULL, sum(cost)
FROM billing_usagerecord record JOIN billing_reservation hold ON hold.job_id = record.job_id,
    unnest(budgets) AS period_id
WHERE budgets <> '{{}}' AND record.job_id >= {since} AND record.job_id < {until}
    AND hold.job_id >= {since} AND hold.job_id < {until}
GROUP BY period_id
"""
"""What proofs add up over all of history."""

_STORED_SUMS = """
    SELECT organization_id, budget_period_id, account, booked_in, amount FROM billing_sealedsum
    WHERE month = {month} ORDER BY organization_id, budget_period_id, account, booked_in
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """A seal that no longer fits what it seals, and in what."""

    month: date
    what: str


def sealed_until() -> date:
    """The first day that no seal covers."""
    last = MonthSeal.objects.order_by("-month").values_list("month", flat=True).first()
    return after(last) if last else NEVER


def sealed_months() -> list[date]:
    return list(MonthSeal.objects.order_by("month").values_list("month", flat=True))


def after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def bounds(month: date, *, first: bool) -> dict[str, sql.Literal]:
    """The ids of a month. Those of the first one that is sealed begin with the least: nothing is left out."""
    since = UUID(int=0) if first else floor(month)
    return {"since": sql.Literal(since), "until": sql.Literal(floor(after(month)))}


def floor(day: date) -> UUID:
    """The least id made on a day or later."""
    return uuid7_floor(datetime(day.year, day.month, day.day, tzinfo=UTC))


def digest_rows(month: date, *, first: bool) -> tuple[int, str]:
    """How many rows the month has, and their SHA-256. They stream by: memory does not grow with them."""
    digest, rows = hashlib.sha256(), 0
    for query in _ROWS:
        for line in _copied(query, bounds(month, first=first)):
            digest.update(line)
            rows += line.count(b"\n")
        digest.update(b"\n")  # no row is empty: what follows is another table's
    return rows, digest.hexdigest()


def chained(previous: str, seal: MonthSeal) -> str:
    """The digest of a seal, over the one before it, its own rows' and its stored sums."""
    digest = hashlib.sha256(f"{previous}\n{seal.month}\n{seal.rows}\n{seal.rows_digest}\n".encode())
    for line in _copied(_STORED_SUMS, {"month": sql.Literal(seal.month)}):
        digest.update(line)
    return digest.hexdigest()


def broken(*, rows_of: Iterable[date] = ()) -> list[Broken]:
    """Prove the chain of seals and their sums, which costs a row a customer and month.

    Args:
        rows_of: the months whose rows are proved, too, each of which is read whole.
    """
    found: list[Broken] = []
    reread = set(rows_of)
    previous, due = "", None
    for seal in MonthSeal.objects.order_by("month"):
        if due not in (None, seal.month):
            found.append(Broken(seal.month, "the seal of the month before is missing"))
        if chained(previous, seal) != seal.digest:
            found.append(Broken(seal.month, "the seal, its sums or the seal before were changed"))
        if seal.month in reread and digest_rows(seal.month, first=due is None) != (seal.rows, seal.rows_digest):
            found.append(Broken(seal.month, "the month's rows are not those that were sealed"))
        previous, due = seal.digest, after(seal.month)
    unsealed = SealedSum.objects.filter(seal_id__gte=due or NEVER).values_list("seal_id", flat=True).distinct()
    return found + [Broken(month, "the month's seal is missing") for month in unsealed.order_by("seal_id")]


def _copied(query: str, values: dict[str, sql.Literal]) -> Iterator[bytes]:
    """The rows of a SELECT as COPY writes them, by blocks that end with a row."""
    statement = sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(query).format(**values))
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for block in copy:
            yield bytes(block)
