"""Many at once on a real PostgreSQL: no one gets what is not there, and everything happens once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg_pool import ConnectionPool

from accounts.identifiers import new_id
from accounts.models import Organization
from billing import budgets, ledger, reservations
from billing.models import Budget, BudgetPeriod, LedgerEntry, Reservation, UsageRecord
from billing.reservations import BudgetExceeded, InsufficientCredit
from tests.billing.books import FRAME, KEY, account_of, hold, new_organization, usage

pytestmark = pytest.mark.usefixtures("committed")

FRAMES = 100


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> str:
    database = settings.DATABASES["default"]
    return f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}"


@pytest.fixture(scope="module")
def pool(url: str) -> Iterator[ConnectionPool]:
    with ConnectionPool(url, min_size=60, max_size=60, timeout=30) as pool:
        yield pool


def admit(pool: ConnectionPool, organization: Organization) -> UUID | type[Exception]:
    """The job's id, or why there is none."""
    job_id = new_id()
    try:
        with pool.connection() as own, own.transaction():
            hold(own, job_id, organization, frames=FRAMES)
        return job_id
    except (InsufficientCredit, BudgetExceeded) as refusal:
        return type(refusal)


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What `count` threads return that all begin together."""
    gate = threading.Barrier(count)

    def begin(number: int) -> object:
        gate.wait()
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def test_two_hundred_at_once_with_credit_for_fifty(pool: ConnectionPool) -> None:
    for _ in range(20):
        organization = new_organization(given=str(20 * FRAMES * FRAME), paid=str(30 * FRAMES * FRAME + FRAME))
        answers = at_once(200, lambda _, to=organization: admit(pool, to))  # type: ignore[misc]
        assert Counter(a if a is InsufficientCredit else "admitted" for a in answers) == {
            "admitted": 50,
            InsufficientCredit: 150,
        }
        account = account_of(organization)
        assert (account.held, account.balance - account.held) == (50 * FRAMES * FRAME, FRAME)
        assert Reservation.objects.filter(organization=organization, state="pending").count() == 50


@pytest.mark.parametrize("made", [True, False], ids=["a running period", "the first requests of a period"])
def test_two_hundred_at_once_with_a_budget_for_fifty(pool: ConnectionPool, made: bool) -> None:
    organization = new_organization(paid="100")
    budgets.put(organization=organization, period=Budget.Period.DAY, amount=50 * FRAMES * FRAME)
    budgets.put(organization=organization, api_key_id=KEY, period=Budget.Period.TOTAL, amount=Decimal(50))
    if not made:
        BudgetPeriod.objects.filter(budget__organization=organization).delete()
    answers = at_once(200, lambda _: admit(pool, organization))
    assert answers.count(BudgetExceeded) == 150
    periods = BudgetPeriod.objects.filter(budget__organization=organization)
    assert {period.held for period in periods} == {50 * FRAMES * FRAME}
    assert account_of(organization).held == 50 * FRAMES * FRAME


def test_every_end_reported_by_everybody_happens_once(pool: ConnectionPool) -> None:
    """Admissions, settlements, voids and sweeps of the same jobs at once, and credit coming in between."""
    organization = new_organization(given="0.05", paid="10")
    budgets.put(organization=organization, period=Budget.Period.MONTH, amount=Decimal(10))
    jobs = [job for job in (admit(pool, organization) for _ in range(60)) if isinstance(job, UUID)]
    Reservation.objects.filter(job_id__in=jobs[:20]).update(expires_at="2026-01-01T00:00:00Z")

    def work(number: int) -> None:
        random = Random(number)
        for job in random.sample(jobs, len(jobs)):
            if job in jobs[40:]:
                ledger.void(job_id=job)
            else:
                ledger.settle(usage(job))
            if random.random() < 0.1:
                admit(pool, organization)
                reservations.expire_overdue()
                ledger.top_up(organization=organization, amount=FRAME, cause=f"{organization.pk}:{number}")

    at_once(16, work)
    assert UsageRecord.objects.filter(organization=organization).count() == 40
    assert Reservation.objects.filter(job_id__in=jobs[40:], state="voided").count() == 20
    entries = LedgerEntry.objects.filter(transaction__organization=organization)
    revenue = sum(entry.amount for entry in entries.filter(account="revenue"))
    topped_up = -sum(entry.amount for entry in entries.filter(account="cash"))
    assert revenue == 40 * 25 * FRAME
    account = account_of(organization)
    assert account.balance == Decimal("0.05") + topped_up - revenue
    pending = Reservation.objects.filter(organization=organization, state="pending")
    assert account.held == sum(reservation.amount for reservation in pending)
    period = BudgetPeriod.objects.get(budget__organization=organization)
    assert (period.held, period.spent) == (account.held, revenue)


def test_a_connection_lost_before_the_commit_leaves_nothing(pool: ConnectionPool) -> None:
    organization = new_organization(paid="1")
    job_id = new_id()
    with pool.connection() as own:
        own.execute("BEGIN")
        hold(own, job_id, organization, frames=FRAMES)
        own.close()
    with pytest.raises(psycopg.OperationalError):
        own.execute("COMMIT")
    assert not Reservation.objects.filter(job_id=job_id).exists()
    assert account_of(organization).held == 0


def test_holds_that_are_raised_at_once_take_no_more_than_is_there() -> None:
    organization = new_organization(given=str(1000 * FRAME))
    jobs = [new_id() for _ in range(8)]
    for job_id in jobs:
        hold(connection, job_id, organization, frames=50)

    def speak(number: int) -> int:
        """Raise the hold in steps until it is refused, and settle what it covers."""
        job_id, frames = jobs[number], 50
        while True:
            try:
                frames = reservations.raise_hold(job_id=job_id, cap_ms=(frames + 30) * 40) // 40
            except InsufficientCredit:
                break
        ledger.settle(usage(job_id, frames=frames))
        return frames

    assert sum(at_once(len(jobs), speak)) == 1000  # type: ignore[call-overload]
    assert (account_of(organization).balance, account_of(organization).held) == (0, 0)
