"""Holding money for a job at its admission: what is not there cannot be spent, however many ask at once.

The vocabulary is that of two-phase transfers (https://docs.tigerbeetle.com/coding/two-phase-transfers/): a
reservation is pending, then posted by a settlement, voided, or expired.

Whoever moves an organization's money locks its account's row first, and its budgets only then. So there is one
order of locks, and no deadlock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
from django.db import connection as django_connection
from django.utils import timezone

from billing.models import Reservation

RESERVE = Path(__file__).with_name("reserve.sql").read_text("utf-8")
"""The conditional UPDATE of the account decides, and a conditional upsert for each budget."""
REFUSED = "BR001"
"""The SQLSTATE of `billing_refuse`."""

_RELEASE = """
WITH hold AS (
    UPDATE billing_reservation SET state = %(state)s WHERE job_id = %(job_id)s AND state = 'pending'
    RETURNING organization_id, amount, budgets
), account AS (
    UPDATE billing_account SET held = held - hold.amount,
        overdraft = GREATEST(0, LEAST(overdraft, held - hold.amount - balance - credit_limit))
    FROM hold WHERE billing_account.organization_id = hold.organization_id
    RETURNING hold.amount, hold.budgets
), period AS (
    UPDATE billing_budgetperiod SET held = held - account.amount FROM account WHERE id = ANY (account.budgets)
)
SELECT FROM account
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A budget, as a refusal names it."""

    scope: str
    """`organization` or `key`."""
    period: str
    """`day`, `month` or `total`."""
    amount: Decimal


class NoPrice(Exception):
    """The price book has no row for this model; nothing may be sold without a price."""


class InsufficientCredit(Exception):
    """The organization's credit, less what running jobs hold, does not cover this job's cap."""

    def __init__(self, needed: Decimal) -> None:
        super().__init__(f"${needed} needed")
        self.needed = needed


class AccountSuspended(Exception):
    """The organization has not paid an invoice, in spite of all reminders; see `billing.invoices.dunning`."""


class BudgetExceeded(Exception):
    """What a budget has left, less what running jobs hold, does not cover this job's cap."""

    def __init__(self, which: Limit) -> None:
        super().__init__(f"${which.amount} per {which.period} of the {which.scope}")
        self.which = which


@asynccontextmanager
async def reserve(
    connection: psycopg.AsyncConnection,
    *,
    job_id: UUID,
    organization_id: UUID,
    api_key_id: UUID,
    model: str,
    cap_ms: int,
    lasts: timedelta,
) -> AsyncIterator[None]:
    """Hold the cost of `cap_ms` of `model`'s audio at the price valid now, for what is written inside.

    The hold is one statement: conditional UPDATEs decide, nothing reads first and writes later. On a connection
    in autocommit it and what is executed inside (without reading an answer) are one pipeline, that is one
    transaction in one round trip: a hot account is locked no longer than that takes, and whatever fails, nothing
    was written. In a transaction of the caller's it is part of that.

    Args:
        lasts: how long the hold waits for its job's end before `expire_overdue` releases it.

    Raises:
        NoPrice: the model is not in the price book.
        InsufficientCredit: the hold would pass what the organization may spend.
        AccountSuspended: the organization has an invoice to pay first.
        BudgetExceeded: the hold would pass a budget of the organization or of the key.
    """
    parameters = {
        "job_id": job_id,
        "organization_id": organization_id,
        "api_key_id": api_key_id,
        "model": model,
        "cap_ms": cap_ms,
        "lasts": lasts,
    }
    try:
        async with connection.pipeline():
            await connection.execute(RESERVE, parameters)
            yield
    except psycopg.Error as error:
        raise _refusal(error, model) or error from None


def _refusal(error: psycopg.Error, model: str) -> Exception | None:
    """What `billing_refuse` said; None where the error is another's."""
    if error.sqlstate != REFUSED:
        return None
    detail = error.diag.message_detail or ""
    match error.diag.message_primary:
        case "credit":
            return InsufficientCredit(Decimal(detail))
        case "suspended":
            return AccountSuspended()
        case "budget":
            scope, period, amount = detail.split()
            return BudgetExceeded(Limit(scope=scope, period=period, amount=Decimal(amount)))
        case _:
            return NoPrice(model)


async def nothing_left(connection: psycopg.AsyncConnection, organization_id: UUID) -> bool:
    """Whether even the smallest hold would be refused, now and after all current holds are released."""
    cursor = await connection.execute(
        "SELECT balance + credit_limit <= 0 FROM billing_account WHERE organization_id = %s", (organization_id,)
    )
    row = await cursor.fetchone()
    return row is None or bool(row[0])


def void(*, job_id: UUID) -> bool:
    """Release the hold of a job that costs nothing; False where there is none that is pending."""
    return _release(job_id, Reservation.State.VOIDED)


def expire_overdue(*, batch: int = 1000) -> int:
    """Release the holds that outlived their deadline, whose job's end nobody reported; returns how many.

    A settlement that comes all the same is booked (see `billing.settlement`).
    """
    overdue = Reservation.objects.filter(state=Reservation.State.PENDING, expires_at__lt=timezone.now())
    job_ids = overdue.order_by("expires_at").values_list("job_id", flat=True)[:batch]
    return sum(_release(job_id, Reservation.State.EXPIRED) for job_id in job_ids)


def _release(job_id: UUID, state: Reservation.State) -> bool:
    with django_connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"job_id": job_id, "state": state})
        return cursor.fetchone() is not None  # inside a pipeline the row count is not known yet
