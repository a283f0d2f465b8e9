"""Holding money for a job before its audio is delivered: what is not there cannot be spent, however many ask.

A job is admitted with a hold for the audio that its text is expected to become. While it is spoken the hold is
raised, ahead of the audio, if there is more of it. So at every moment a hold covers all audio that has left.

The vocabulary is that of two-phase transfers (https://docs.tigerbeetle.com/coding/two-phase-transfers/): a
reservation is pending, then posted by a settlement, voided, or expired.

The database's function `billing_reserve` makes the holds of many jobs in one statement (see `reserve.sql`), and
`billing_raise_hold` raises one (see `raise_hold.sql`). Whoever moves an organization's money locks its account's
row first, and its budgets only then. So there is one order of locks, and no deadlock.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
from django.db import IntegrityError, transaction
from django.db import connection as django_connection
from django.utils import timezone

from billing.models import Reservation

log = logging.getLogger(__name__)

FUNCTION = Path(__file__).with_name("reserve.sql").read_text("utf-8")
"""Makes the function. A change of it needs a migration that runs it again."""
RAISE_FUNCTION = Path(__file__).with_name("raise_hold.sql").read_text("utf-8")
"""As `FUNCTION`."""
HELD = "held"
"""The outcome of a hold that was made; `check` says what the others are."""

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


class HoldReleased(Exception):
    """The job has no pending hold that could be raised: it was settled, voided or has expired."""


class BudgetExceeded(Exception):
    """What a budget has left, less what running jobs hold, does not cover this job's cap."""

    def __init__(self, which: Limit) -> None:
        super().__init__(f"${which.amount} per {which.period} of the {which.scope}")
        self.which = which


def check(outcome: str, detail: str, *, model: str) -> None:
    """Raise what an outcome of `billing_reserve` or `billing_raise_hold` stands for; return if the money is held.

    Raises:
        HoldReleased: there is no pending hold to raise.
        NoPrice: the model is not in the price book.
        InsufficientCredit: the hold would pass what the organization may spend.
        AccountSuspended: the organization has an invoice to pay first.
        BudgetExceeded: the hold would pass a budget of the organization or of the key.
    """
    if outcome == HELD:
        return
    match outcome:
        case "price":
            raise NoPrice(model)
        case "credit":
            raise InsufficientCredit(Decimal(detail))
        case "suspended":
            raise AccountSuspended
        case "gone":
            raise HoldReleased
        case "budget":
            scope, period, amount = detail.split()
            raise BudgetExceeded(Limit(scope=scope, period=period, amount=Decimal(amount)))
        case _:
            raise ValueError(f"billing_reserve says {outcome!r}")


async def nothing_left(connection: psycopg.AsyncConnection, organization_id: UUID) -> bool:
    """Whether even the smallest hold would be refused, now and after all current holds are released."""
    cursor = await connection.execute(
        "SELECT balance + credit_limit <= 0 FROM billing_account WHERE organization_id = %s", (organization_id,)
    )
    row = await cursor.fetchone()
    return row is None or bool(row[0])


def raise_hold(*, job_id: UUID, cap_ms: int) -> int:
    """Raise the hold of a job that is being spoken until it covers `cap_ms`, in the caller's transaction.

    Where credit or a budget does not suffice, the hold is raised as far as they do.

    Returns:
        The milliseconds of audio that the hold covers now.

    Raises:
        InsufficientCredit, BudgetExceeded, AccountSuspended: nothing more can be held.
        HoldReleased: there is no pending hold.
    """
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT outcome, detail, covered_ms FROM billing_raise_hold(%s, %s)", (job_id, cap_ms))
        outcome, detail, covered_ms = cursor.fetchone()
    check(outcome, detail, model="")
    return int(covered_ms)


def void(*, job_id: UUID) -> bool:
    """Release the hold of a job that costs nothing; False where there is none that is pending."""
    return _release(job_id, Reservation.State.VOIDED)


def expire_overdue(*, batch: int = 1000) -> int:
    """Release the holds that outlived their deadline, whose job's end nobody reported; returns how many.

    A settlement that comes all the same is booked (see `billing.settlement`). A hold that its account's books
    contradict is left and logged; `ledger verify` reports such an account.
    """
    overdue = Reservation.objects.filter(state=Reservation.State.PENDING, expires_at__lt=timezone.now())
    job_ids = overdue.order_by("expires_at").values_list("job_id", flat=True)[:batch]
    released = 0
    for job_id in job_ids:
        try:
            with transaction.atomic():
                released += _release(job_id, Reservation.State.EXPIRED)
        except IntegrityError:
            log.exception("the overdue hold of job %s cannot be released", job_id)
    return released


def _release(job_id: UUID, state: Reservation.State) -> bool:
    with django_connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"job_id": job_id, "state": state})
        return cursor.fetchone() is not None  # inside a pipeline the row count is not known yet
