"""Usage of a month that is over, booked as a settlement books it, without waiting for the month."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Organization
from billing.invoices import closing, issuing
from billing.invoices.months import Month
from billing.models import Account, Invoice
from tests.billing.books import MODEL, new_organization

OCTOBER = Month.parse("2026-10")
NOVEMBER = Month.parse("2026-11")
NOW = datetime(2026, 11, 1, 0, 5, tzinfo=UTC)
PRICE = Decimal("0.045")

# One statement for any number of requests: those of a settlement, whose promotional part is said here.
_USE = """
WITH request AS (
    SELECT uuidv7(at - now()) AS job_id, at, billing_cost(%(duration_ms)s, %(price)s) AS cost
    FROM generate_series(1, %(requests)s) AS number,
        LATERAL (SELECT %(first)s + (number - 1) * %(apart)s::interval AS at) AS moment
), record AS (
    INSERT INTO billing_usagerecord (job_id, organization_id, api_key_id, model, voice, samples, duration_ms,
        dollars_per_minute, cost, created_at)
    SELECT job_id, %(organization)s, '00000000-0000-0000-0000-000000000001', %(model)s, %(voice)s,
        %(duration_ms)s * 24, %(duration_ms)s, %(price)s, cost, at FROM request
), hold AS (
    INSERT INTO billing_reservation (job_id, organization_id, amount, price_id, budgets, state, created_at)
    SELECT job_id, %(organization)s, cost, 1, '{}', 'posted', at FROM request
), movement AS (
    INSERT INTO billing_ledgertransaction (id, kind, cause, organization_id, created_at)
    SELECT job_id, 'usage', job_id::text, %(organization)s, at FROM request WHERE cost > 0
), legs AS (
    INSERT INTO billing_ledgerentry (transaction_id, account, amount)
    SELECT job_id, leg.account, leg.amount FROM request, LATERAL (VALUES
        (CASE WHEN %(given)s THEN 'promotional_credit' ELSE 'customer_credit' END, -cost), ('revenue', cost)
    ) AS leg (account, amount) WHERE leg.amount <> 0
)
UPDATE billing_account SET
    balance = balance - (SELECT sum(cost) FROM request),
    promotional = promotional - CASE WHEN %(given)s THEN (SELECT sum(cost) FROM request) ELSE 0 END
WHERE organization_id = %(organization)s
"""


def customer(
    *, name: str = "Acme", given: str = "0", paid: str = "0", limit: str = "0", **details: Any
) -> Organization:
    from billing.invoices import details as billing_details

    organization = new_organization(given=given, paid=paid)
    Organization.objects.filter(pk=organization.pk).update(name=name)
    organization.name = name
    Account.objects.filter(organization=organization).update(credit_limit=Decimal(limit))
    billing_details.put(organization=organization, email="bills@acme.example", **details)
    return organization


def use(
    organization: Organization,
    duration_ms: int,
    *,
    requests: int = 1,
    at: datetime = OCTOBER.start,
    apart: str = "0",
    voice: str = "alloy",
    model: str = MODEL,
    price: Decimal = PRICE,
    given: bool = False,
) -> None:
    """Book `requests` requests of `duration_ms` each, `apart` from one another; `given` credit pays for them."""
    with connection.cursor() as cursor:
        # Plans of the constraints that were made while the tables were empty read them whole for every row.
        cursor.execute("DISCARD PLANS")
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            _USE,
            {
                "organization": organization.pk,
                "duration_ms": duration_ms,
                "requests": requests,
                "first": at,
                "apart": apart,
                "voice": voice,
                "model": model,
                "price": price,
                "given": given,
            },
        )
        cursor.execute("RESET enable_seqscan")


def many_requests(organization: Organization, *, requests: int) -> None:
    """An October of whole thousands of requests of 1,000 to 1,999 ms each.

    They are in a table that hides the real one from this transaction alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TEMPORARY TABLE billing_usagerecord ON COMMIT DROP AS
            SELECT '00000000-0000-0000-0000-000000000001'::uuid AS job_id, %s::uuid AS organization_id,
                %s AS model, 'alloy' AS voice, ms AS duration_ms, 0.045 AS dollars_per_minute,
                ms * 0.00000075 AS cost, '2026-10-01'::timestamptz + number * interval '0.26 second' AS created_at
            FROM generate_series(0, %s - 1) AS number, LATERAL (SELECT 1000 + number %% 1000 AS ms) AS length
            """,
            [organization.pk, MODEL, requests],
        )
    spent = requests // 1_000 * Decimal("1.124625")
    Account.objects.filter(organization=organization).update(balance=-spent)


def close(organization: Organization, month: Month = OCTOBER) -> Invoice:
    """The one draft of the months up to `month`."""
    (draft,) = closing.close(organization=organization, through=month, now=month.end)
    return draft


def issue(organization: Organization, month: Month = OCTOBER, *, now: datetime = NOW) -> Invoice:
    return issuing.finalize(invoice_id=close(organization, month).pk, now=now)
