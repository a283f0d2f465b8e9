"""The proof of the books over 10 million settled requests.

1,000 organizations share them. Each request has its job, hold, usage record and ledger transaction of two legs,
made in SQL without triggers; CHECKs and indexes are as ever. The floor is one sum over the ledger's entries, which
any proof has to make. Memory is PostgreSQL's work: the process that asks holds ten offenders at most.
"""

from __future__ import annotations

import resource
import sys
import time
from decimal import Decimal
from uuid import UUID, uuid4

from django.core.management import call_command
from django.db import connection

from tests.benchmarks import budget

RECORDS = budget.number(10_000_000)
ORGANIZATIONS = budget.number(1_000)
CHUNK = 500_000
COST = Decimal("0.003")
"""Of four seconds at $0.045 a minute."""
MADE = (
    "inference_synthesisjob", "billing_reservation", "billing_usagerecord", "billing_ledgertransaction",
    "billing_ledgerentry",
)  # fmt: skip

_SETTLED = """
WITH request AS MATERIALIZED (
    SELECT uuidv7(number * interval '1 microsecond' - interval '1 minute') AS id,
        (%(organizations)s::uuid[])[1 + number %% %(count)s] AS organization
    FROM generate_series(%(first)s, %(last)s) AS number
), job AS (
    INSERT INTO inference_synthesisjob (id, organization_id, api_key_id, state, model, voice, format, sampling,
        max_frames, samples, text, style, created_at, enqueued_at, deadline_at, finished_at)
    SELECT id, organization, %(key)s, 'succeeded', 'higgs', 'alloy', 'mp3', '{}', 100, 96000, '', '', now(), now(),
        now(), now() FROM request
), hold AS (
    INSERT INTO billing_reservation (job_id, organization_id, amount, price_id, budgets, state, created_at)
    SELECT id, organization, %(cost)s, 1, '{}', 'posted', now() FROM request
), record AS (
    INSERT INTO billing_usagerecord (job_id, organization_id, api_key_id, model, voice, samples, duration_ms,
        dollars_per_minute, cost, created_at)
    SELECT id, organization, %(key)s, 'higgs', 'alloy', 96000, 4000, 0.045, %(cost)s, now() FROM request
), movement AS (
    INSERT INTO billing_ledgertransaction (id, kind, cause, organization_id, created_at)
    SELECT id, 'usage', id::text, organization, now() FROM request
)
INSERT INTO billing_ledgerentry (transaction_id, account, amount)
SELECT id, leg.account, leg.amount FROM request, LATERAL (
    VALUES ('customer_credit', -%(cost)s), ('revenue', %(cost)s)
) AS leg (account, amount)
"""


def run(records: int = RECORDS) -> None:
    """Print how long each check takes, beside one sum over the entries."""
    from billing import verification

    call_command("migrate", verbosity=0)
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
        ledger.top_up(organization=organization, amount=each * COST, cause=f"bench:{organization.pk}")
        ids.append(organization.pk)
    records = each * ORGANIZATIONS
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET session_replication_role = replica")
        for first in range(0, records, CHUNK):
            cursor.execute(
                _SETTLED,
                {
                    "organizations": ids, "count": ORGANIZATIONS, "key": uuid4(), "cost": COST,
                    "first": first, "last": min(first + CHUNK, records) - 1,
                },
            )  # fmt: skip
        cursor.execute("RESET session_replication_role")
        cursor.execute("RESET synchronous_commit")
        for table in MADE:
            cursor.execute(f"VACUUM ANALYZE {table}")
    Account.objects.filter(organization__in=ids).update(balance=Decimal(0))


def _seconds_of(query: str) -> float:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(query)
    return time.perf_counter() - began
