"""The proof of the books: what must be equal is compared, row by row, over the whole database.

Each check is one SELECT of what is wrong, (subject, drift in dollars), so that a clean database answers none with
a row. They are set-based: PostgreSQL sorts or hashes what is too large for its memory on disk, and here arrive
only a count, a sum and the first offenders. All look at one snapshot, so that traffic meanwhile is no drift.

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
class Check:
    """What must hold, and the SELECT of (subject, drift) that finds where it does not.

    One that compares rows looks at those whose id is `%(since)s` or later, and says so of every table that it
    joins, or PostgreSQL would read all of it. One that adds up history adds up the rows from the id `%(sealed)s`
    on, and the sums of the months that were sealed before `%(until)s`. Any other `%` is doubled.
    """

    name: str
    holds: str
    offenders: str
    sums: bool = False
    """It adds up history: a recent proof leaves it out."""

    @property
    def by_row(self) -> bool:
        return "%(since)s" in self.offenders


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


CHECKS = [
    Check(
        name="usage_is_booked",
        holds="each usage record's cost is its ledger transaction's revenue, and there is no other usage",
        offenders="""
            SELECT 'job ' || coalesce(job_id, booked.id) AS subject,
                coalesce(cost, 0) - coalesce(booked.revenue, 0) AS drift
            FROM (
                SELECT job_id, cost FROM billing_usagerecord WHERE cost > 0 AND job_id >= %(since)s
            ) AS record
            FULL JOIN (
                SELECT movement.id, coalesce(sum(amount) FILTER (WHERE account = 'revenue'), 0) AS revenue
                FROM billing_ledgertransaction movement
                LEFT JOIN billing_ledgerentry ON transaction_id = movement.id AND transaction_id >= %(since)s
                WHERE kind = 'usage' AND movement.id >= %(since)s GROUP BY movement.id
            ) AS booked ON booked.id = job_id
            WHERE cost IS DISTINCT FROM booked.revenue
        """,
    ),
    Check(
        name="balances_are_entries",
        sums=True,
        holds="each account's balance, and the promotional part of it, is the sum of its entries",
        offenders="""
            SELECT 'organization ' || coalesce(account.organization_id, booked.organization_id) AS subject,
                abs(coalesce(balance, 0) - coalesce(credit, 0))
                + abs(coalesce(promotional, 0) - coalesce(given, 0)) AS drift
            FROM billing_account account
            FULL JOIN (
                SELECT organization_id, sum(amount) AS credit,
                    coalesce(sum(amount) FILTER (WHERE account = 'promotional_credit'), 0) AS given
                FROM (
                    SELECT organization_id, account, amount
                    FROM billing_ledgerentry
                    JOIN billing_ledgertransaction movement ON movement.id = transaction_id
                    WHERE transaction_id >= %(sealed)s AND movement.id >= %(sealed)s
                    UNION ALL
                    SELECT organization_id, account, amount FROM billing_sealedsum WHERE month < %(until)s
                ) AS entry
                WHERE account IN ('promotional_credit', 'customer_credit') GROUP BY organization_id
            ) AS booked USING (organization_id)
            WHERE coalesce(balance, 0) <> coalesce(credit, 0) OR coalesce(promotional, 0) <> coalesce(given, 0)
        """,
    ),
    Check(
        name="held_is_pending",
        holds="what each account holds is the sum of its pending reservations",
        offenders="""
            SELECT 'organization ' || organization_id AS subject, coalesce(held, 0) - coalesce(pending, 0) AS drift
            FROM billing_account
            FULL JOIN (
                SELECT organization_id, sum(amount) AS pending
                FROM billing_reservation WHERE state = 'pending' GROUP BY organization_id
            ) AS reserved USING (organization_id)
            WHERE coalesce(held, 0) <> coalesce(pending, 0)
        """,
    ),
    Check(
        name="budgets_hold_pending",
        holds="what each budget's period holds is the sum of the pending reservations that name it",
        offenders="""
            SELECT 'budget period ' || id AS subject, held - coalesce(pending, 0) AS drift
            FROM billing_budgetperiod
            LEFT JOIN (
                SELECT period_id, sum(amount) AS pending
                FROM billing_reservation, unnest(budgets) AS period_id WHERE state = 'pending' GROUP BY period_id
            ) AS reserved ON period_id = id
            WHERE held <> coalesce(pending, 0)
        """,
    ),
    Check(
        name="budgets_are_spent",
        sums=True,
        holds="what each budget's period has spent since it was set is the cost of the requests that name it",
        offenders="""
            SELECT 'budget period ' || id AS subject, spent - spent_before - coalesce(cost, 0) AS drift
            FROM billing_budgetperiod
            LEFT JOIN (
                SELECT period_id, sum(cost) AS cost
                FROM (
                    SELECT period_id, cost
                    FROM billing_usagerecord record
                    JOIN billing_reservation hold ON hold.job_id = record.job_id, unnest(budgets) AS period_id
                    WHERE budgets <> '{}' AND record.job_id >= %(sealed)s AND hold.job_id >= %(sealed)s
                    UNION ALL
                    SELECT budget_period_id, amount FROM billing_sealedsum
                    WHERE account = 'budget' AND month < %(until)s
                ) AS spending
                GROUP BY period_id
            ) AS billed ON period_id = id
            WHERE spent - spent_before <> coalesce(cost, 0)
        """,
    ),
    Check(
        name="grants_cover_promotional",
        holds="the promotional credit of each account is left of its grants",
        offenders="""
            SELECT 'organization ' || organization_id AS subject, promotional - coalesce(remaining, 0) AS drift
            FROM billing_account
            LEFT JOIN (
                SELECT organization_id, sum(remaining) AS remaining FROM billing_grant GROUP BY organization_id
            ) AS given USING (organization_id)
            WHERE promotional > coalesce(remaining, 0)
        """,
    ),
    Check(
        name="transactions_are_zero",
        holds="each ledger transaction has legs, and they sum to zero",
        offenders="""
            SELECT kind || ' ' || movement.id AS subject, coalesce(sum(amount), 0) AS drift
            FROM billing_ledgertransaction movement
            LEFT JOIN billing_ledgerentry entry ON transaction_id = movement.id AND transaction_id >= %(since)s
            WHERE movement.id >= %(since)s
            GROUP BY movement.id HAVING count(entry.id) < 2 OR sum(amount) <> 0
        """,
    ),
    Check(
        name="stripes_money_is_booked",
        sums=True,
        holds="each paid payment through Stripe, and each refund, is its ledger transaction's cash",
        offenders="""
            SELECT subject, moved.amount + coalesce(sum(entry.amount), 0) AS drift
            FROM (
                SELECT 'payment ' || id AS subject, movement_id, amount
                FROM billing_stripepayment WHERE state = 'paid'
                UNION ALL SELECT 'refund ' || id, movement_id, -amount FROM billing_striperefund
            ) AS moved
            LEFT JOIN billing_ledgerentry entry ON transaction_id = movement_id AND account = 'cash'
            GROUP BY subject, moved.amount HAVING moved.amount + coalesce(sum(entry.amount), 0) <> 0
        """,
    ),
    Check(
        name="posted_is_recorded",
        holds="each posted reservation has a usage record within it, and each record a posted reservation",
        offenders="""
            SELECT 'job ' || job_id AS subject, coalesce(cost, 0) AS drift
            FROM (
                SELECT job_id, amount, organization_id FROM billing_reservation
                WHERE state = 'posted' AND job_id >= %(since)s
            ) AS posted
            FULL JOIN (
                SELECT job_id, cost, organization_id FROM billing_usagerecord WHERE job_id >= %(since)s
            ) AS record USING (job_id)
            WHERE cost IS NULL OR amount IS NULL OR cost > amount
                OR posted.organization_id <> record.organization_id
        """,
    ),
]
"""`register` adds those of rooms that this one does not know."""


def register(check: Check) -> None:
    """Have another room's check run with ours."""
    if all(check.name != known.name for known in CHECKS):
        CHECKS.append(check)


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
