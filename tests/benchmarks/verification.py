"""The proof of the books over 10 million settled requests.

1,000 organizations share them. Each request has its job, hold, usage record and ledger transaction of two legs,
made in SQL without triggers; CHECKs and indexes are as ever. The floor is one sum over the ledger's entries, which
any proof has to make. Memory is PostgreSQL's work: the process that asks holds ten offenders at most.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import connection

from tests import history
from tests.benchmarks import budget

RECORDS = budget.number(10_000_000)
ORGANIZATIONS = budget.number(1_000)


def run(records: int = RECORDS) -> None:
    """Print how long each check takes, beside one sum over the entries."""
    from billing import verification

    began = time.perf_counter()
    _make(records)
    print(f"{records:,} settled requests made in {time.perf_counter() - began:.0f} s")
    floor = _seconds_of("SELECT sum(amount) FROM billing_ledgerentry")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    report = verification.verify()
    took = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if not report.clean:
        raise AssertionError([finding for finding in report.findings if finding.count])
    for finding in report.findings:
        print(f"{finding.name:34} clean")
    print(
        f"ledger verify: {took:.0f} s, {records / took:,.0f} requests a second, {took / floor:.1f} times one sum"
        f" over the entries ({floor:.1f} s); this process grew by {grown / 1024:.0f} MB"
    )
    sys.stdout.flush()


def _make(records: int) -> None:
    from accounts import organizations
    from billing import ledger
    from billing.models import Account

    ids: list[UUID] = []
    each = -(-records // ORGANIZATIONS)
    for _ in range(ORGANIZATIONS):
        organization = organizations.create(name="Bench", owner_email=f"{uuid4().hex}@bench.example.com")
        ledger.top_up(organization=organization, amount=each * history.COST, cause=f"bench:{organization.pk}")
        ids.append(organization.pk)
    history.make(
        each * ORGANIZATIONS,
        organizations=ids,
        keys=[uuid4()] * ORGANIZATIONS,
        over=timedelta(minutes=1),
        tables=history.BOOKED,
    )
    with connection.cursor() as cursor:
        for table in history.BOOKED:
            cursor.execute(f"VACUUM {table}")
    Account.objects.filter(organization__in=ids).update(balance=Decimal(0))


def _seconds_of(query: str) -> float:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(query)
    return time.perf_counter() - began
