"""Budgets: what an organization allows itself and its keys to spend, a day, a month or in all.

`reservations.reserve` enforces them, `settlement` and `void` move what they hold. The calendar is UTC's, and a
request belongs to the period in which it was admitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.identifiers import uuid7_floor
from accounts.models import Organization
from billing.models import Account, Budget, BudgetPeriod, UsageRecord

EVER = date(1970, 1, 1)
"""The start of a total, which has one period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of budget: how long its amount is to last, and how forms, refusals and e-mails word that."""

    period: Budget.Period
    label: str
    """Of a form's field."""
    about: str
    """When the period ends: the field's help."""
    span: str
    """Behind an amount, in a refusal: "$5 a day, …"."""
    adjective: str
    """Before "budget"; empty for a total."""
    of_organization: bool = True
    """Whether an organization may have one, or only a key. The database has the same rule."""


KINDS = (
    Kind(
        period=Budget.Period.DAY,
        label="Daily budget (USD)",
        about="Resets at midnight UTC.",
        span="a day, which ends at midnight UTC",
        adjective="daily",
    ),
    Kind(
        period=Budget.Period.MONTH,
        label="Monthly budget (USD)",
        about="Resets on the first of the month, UTC.",
        span="a month, which ends with the calendar month in UTC",
        adjective="monthly",
    ),
    Kind(
        period=Budget.Period.TOTAL,
        label="Total budget (USD)",
        about="For the lifetime of the key.",
        span="in all",
        adjective="",
        of_organization=False,
    ),
)


def kind_of(period: str) -> Kind:
    """The kind of a period's name."""
    return next(kind for kind in KINDS if kind.period == period)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A budget and how its current period stands."""

    scope: str
    """`organization` or `key`."""
    period: str
    amount: Decimal
    spent: Decimal
    held: Decimal

    @property
    def remaining(self) -> Decimal:
        return max(Decimal(0), self.amount - self.spent - self.held)


@transaction.atomic
def put(
    *, organization: Organization, period: Budget.Period, amount: Decimal, api_key_id: UUID | None = None
) -> Budget:
    """Set a budget of the organization or of one of its keys, anew or to another amount.

    What was spent in the current period counts from the start; what runs at this moment does not.
    """
    # Admissions go by the account's row: none may slip in between the sum and the budget.
    Account.objects.select_for_update().filter(organization=organization).first()
    budget, fresh = Budget.objects.update_or_create(
        organization=organization, api_key_id=api_key_id, period=period, defaults={"amount": amount}
    )
    if fresh:
        start = start_of(budget.period)
        spent = _spent(budget, since=start)
        BudgetPeriod.objects.create(budget=budget, start=start, spent=spent, spent_before=spent)
    return budget


def remove(*, organization: Organization, period: Budget.Period, api_key_id: UUID | None = None) -> bool:
    """Lift a budget; False where there is none."""
    budgets = Budget.objects.filter(organization=organization, api_key_id=api_key_id, period=period)
    return bool(budgets.delete()[0])


def status(*, organization_id: UUID, api_key_id: UUID | None = None) -> list[Status]:
    """The budgets that hold for a key: its own and its organization's; with no key, the organization's."""
    budgets = Budget.objects.filter(
        Q(api_key_id=None) | Q(api_key_id=api_key_id), organization=organization_id
    ).order_by("api_key_id", "period")
    current = Q()
    for period in Budget.Period:
        current |= Q(budget__period=period, start=start_of(period))
    periods = {p.budget_id: p for p in BudgetPeriod.objects.filter(current, budget__in=budgets)}
    return [
        Status(
            scope="key" if budget.api_key_id else "organization",
            period=budget.period,
            amount=budget.amount,
            spent=periods[budget.pk].spent if budget.pk in periods else Decimal(0),
            held=periods[budget.pk].held if budget.pk in periods else Decimal(0),
        )
        for budget in budgets
    ]


def start_of(period: str, at: datetime | None = None) -> date:
    """The first day of the period of a moment, now if none is named, as `reservations.RESERVE` has it."""
    day = (at or timezone.now()).astimezone(UTC).date()
    return {"day": day, "month": day.replace(day=1)}.get(period, EVER)


def _spent(budget: Budget, *, since: date) -> Decimal:
    """What was billed for jobs admitted since a day; a job's id begins with its admission's time."""
    records = UsageRecord.objects.filter(
        organization=budget.organization_id, job_id__gte=uuid7_floor(datetime.combine(since, time(), UTC))
    )
    if budget.api_key_id:
        records = records.filter(api_key_id=budget.api_key_id)
    return records.aggregate(sum=Sum("cost"))["sum"] or Decimal(0)
