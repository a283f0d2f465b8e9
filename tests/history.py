"""A past for a test or a benchmark: requests that were spoken and billed, in every table that keeps them.

Made in SQL without triggers; CHECKs and indexes are as ever. The requests are shared out evenly over the
organizations and over the time before now.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

COST = Decimal("0.003")
"""Of four seconds at $0.045 a minute."""
CHUNK = 500_000
"""Requests a statement: what PostgreSQL holds in memory at once."""
_INSERTS = {
    "inference_synthesisjob": """
        INSERT INTO inference_synthesisjob (id, organization_id, api_key_id, state, attempt, model, voice, format,
            sampling, max_frames, samples, text, style, fingerprint, created_at, enqueued_at, deadline_at,
            started_at, finished_at)
        SELECT id, organization, key, 'succeeded', 1, 'higgs', 'alloy', 'mp3', '{}', 100, 96000, '', '',
            %(fingerprint)s, at, at, at + interval '1 minute', at, at + interval '1 second' FROM request
    """,
    "billing_reservation": """
        INSERT INTO billing_reservation (job_id, organization_id, amount, price_id, budgets, state, created_at)
        SELECT id, organization, %(cost)s, 1, '{}', 'posted', at FROM request
    """,
    "billing_usagerecord": """
        INSERT INTO billing_usagerecord (job_id, organization_id, api_key_id, model, voice, samples, duration_ms,
            dollars_per_minute, cost, created_at)
        SELECT id, organization, key, 'higgs', 'alloy', 96000, 4000, 0.045, %(cost)s, at FROM request
    """,
    "billing_ledgertransaction": """
        INSERT INTO billing_ledgertransaction (id, kind, cause, organization_id, created_at)
        SELECT id, 'usage', id::text, organization, at FROM request
    """,
    "billing_ledgerentry": """
        INSERT INTO billing_ledgerentry (transaction_id, account, amount)
        SELECT id, leg.account, leg.amount FROM request, LATERAL (
            VALUES ('customer_credit', -%(cost)s), ('revenue', %(cost)s)
        ) AS leg (account, amount)
    """,
    "inference_audioasset": """
        INSERT INTO inference_audioasset (job_id, organization_id, path, content_type, size, samples, transcript,
            receipt, created_at, expires_at, purged_at)
        SELECT id, organization, left(id::text, 6) || '/' || id || '-1.mp3', 'audio/mpeg', 16000, 96000, '', '{}',
            at, at, at FROM request
    """,
    "gateway_requestlog": """
        INSERT INTO gateway_requestlog (id, created_at, organization_id, api_key_id, job_id, method, route, status,
            error_code, model, voice, format, total_ms, user_agent)
        SELECT id, at, organization, key, id, 'POST', '/v1/audio/speech', 200, '', 'higgs', 'alloy', 'mp3', 100, ''
        FROM request
    """,
}
_REQUESTS = """
    SELECT uuidv7((number - %(all)s) * %(apart)s - %(until)s) AS id,
        now() + (number - %(all)s) * %(apart)s - %(until)s AS at,
        (%(organizations)s::uuid[])[1 + number %% %(count)s] AS organization,
        (%(keys)s::uuid[])[1 + number %% %(count)s] AS key
    FROM generate_series(%(first)s, %(last)s) AS number
"""
JOBS = ("inference_synthesisjob",)
BOOKED = (
    *JOBS, "billing_reservation", "billing_usagerecord", "billing_ledgertransaction", "billing_ledgerentry",
)  # fmt: skip
EVERYTHING = tuple(_INSERTS)


def make(
    requests: int,
    *,
    organizations: Sequence[UUID],
    keys: Sequence[UUID],
    over: timedelta,
    tables: Collection[str] = EVERYTHING,
    until: timedelta = timedelta(0),
    fingerprint: UUID | None = None,
) -> None:
    """Fill the tables with requests of the organizations, each by its key.

    Args:
        requests: one at least.
        over: the time between the first one and the last.
        until: how long ago the last one was.
        fingerprint: what all of them asked for, where their audio is to be there yet.
    """
    inserts = ", ".join(f"into_{table} AS ({_INSERTS[table]})" for table in tables)
    statement = f"WITH request AS MATERIALIZED ({_REQUESTS}), {inserts} SELECT"
    values = {
        "all": requests, "apart": over / requests, "organizations": list(organizations), "keys": list(keys),
        "count": len(organizations), "cost": COST, "until": until, "fingerprint": fingerprint,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET session_replication_role = replica")
        for first in range(0, requests, CHUNK):
            cursor.execute(statement, {**values, "first": first, "last": min(first + CHUNK, requests) - 1})
        cursor.execute("RESET session_replication_role")
        for table in tables:
            cursor.execute(f"ANALYZE {table}")
