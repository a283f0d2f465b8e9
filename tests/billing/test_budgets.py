"""Budgets hold as the balance does: what is not left of one is not admitted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Organization
from billing import budgets, ledger
from billing.models import Account, Budget, BudgetPeriod, Reservation
from billing.reservations import BudgetExceeded, InsufficientCredit, Limit
from gateway.errors import out_of_budget
from tests.billing.books import FRAME, KEY, account_of, admit, check_books, new_organization, usage

pytestmark = pytest.mark.django_db

OTHER_KEY = UUID(int=2)
Period = Budget.Period


@pytest.fixture
def organization() -> Organization:
    return new_organization(given="1")


def standing(period: str) -> tuple[Decimal, Decimal]:
    row = BudgetPeriod.objects.get(budget__period=period)
    return row.spent, row.held


@pytest.mark.parametrize(
    ("key", "period"), [(None, "day"), (None, "month"), (KEY, "day"), (KEY, "month"), (KEY, "total")]
)
def test_a_budget_admits_to_its_last_nano_dollar(
    organization: Organization, key: UUID | None, period: str
) -> None:
    budgets.put(organization=organization, api_key_id=key, period=Period(period), amount=150 * FRAME)
    job = admit(organization, frames=100)
    with pytest.raises(BudgetExceeded) as refusal:
        admit(organization, frames=51)
    scope = "key" if key else "organization"
    assert refusal.value.which == Limit(scope=scope, period=period, amount=150 * FRAME)
    assert (account_of(organization).held, standing(period)) == (100 * FRAME, (0, 100 * FRAME))
    assert Reservation.objects.count() == 1
    ledger.settle(usage(job, frames=25))
    assert standing(period) == (25 * FRAME, 0)
    admit(organization, frames=125)
    with pytest.raises(BudgetExceeded):
        admit(organization, frames=1)
    check_books()


def test_a_void_releases_and_a_late_settlement_counts(organization: Organization) -> None:
    budgets.put(organization=organization, period=Period.DAY, amount=100 * FRAME)
    job = admit(organization)
    ledger.void(job_id=job)
    assert standing("day") == (0, 0)
    admit(organization)
    ledger.settle(usage(job, frames=25))
    assert standing("day") == (25 * FRAME, 100 * FRAME)
    check_books()


def test_each_budget_must_allow_it_and_a_refusal_by_one_leaves_the_others(organization: Organization) -> None:
    budgets.put(organization=organization, period=Period.DAY, amount=Decimal(1))
    budgets.put(organization=organization, period=Period.MONTH, amount=Decimal(1))
    budgets.put(organization=organization, api_key_id=KEY, period=Period.TOTAL, amount=10 * FRAME)
    budgets.put(organization=organization, api_key_id=OTHER_KEY, period=Period.TOTAL, amount=Decimal(0))
    with pytest.raises(BudgetExceeded, match="per total of the key"):
        admit(organization)
    assert not BudgetPeriod.objects.exclude(held=0).exists()
    job = admit(organization, frames=10)
    assert len(Reservation.objects.get(job_id=job).budgets) == 3
    with pytest.raises(BudgetExceeded):
        admit(organization, frames=1, key=OTHER_KEY)
    admit(organization, frames=100, key=UUID(int=3))
    check_books()


def test_another_organizations_budget_is_its_own(organization: Organization) -> None:
    budgets.put(organization=new_organization(), period=Period.DAY, amount=Decimal(0))
    admit(organization)


def test_credit_is_asked_before_budgets(organization: Organization) -> None:
    budgets.put(organization=organization, period=Period.DAY, amount=Decimal(0))
    Account.objects.update(balance=0, promotional=0)
    with pytest.raises(InsufficientCredit):
        admit(organization)


def test_the_next_day_begins_anew(organization: Organization) -> None:
    budgets.put(organization=organization, period=Period.DAY, amount=100 * FRAME)
    job = admit(organization)
    BudgetPeriod.objects.update(start=date(2026, 1, 1))
    admit(organization)
    ledger.settle(usage(job))
    yesterday, today = BudgetPeriod.objects.order_by("start")
    assert (yesterday.spent, yesterday.held) == (25 * FRAME, 0)
    assert (today.spent, today.held) == (0, 100 * FRAME)
    check_books()


def test_a_new_budget_knows_what_was_spent_and_a_changed_one_keeps_it(organization: Organization) -> None:
    ledger.settle(usage(admit(organization)))
    ledger.settle(usage(admit(organization, key=OTHER_KEY), key=OTHER_KEY))
    running = admit(organization)
    budgets.put(organization=organization, period=Period.MONTH, amount=60 * FRAME)
    budgets.put(organization=organization, api_key_id=KEY, period=Period.TOTAL, amount=60 * FRAME)
    with pytest.raises(BudgetExceeded):
        admit(organization, frames=11)
    ledger.settle(usage(running))
    assert standing("month") == (50 * FRAME, 0)
    assert standing("total") == (25 * FRAME, 0)
    budgets.put(organization=organization, period=Period.MONTH, amount=80 * FRAME)
    admit(organization, frames=30)
    assert [(s.scope, s.period, s.remaining) for s in statuses(organization)] == [
        ("key", "total", 5 * FRAME),
        ("organization", "month", 0),
    ]
    assert budgets.remove(organization=organization, period=Period.MONTH)
    assert not budgets.remove(organization=organization, period=Period.MONTH)
    admit(organization, frames=5)
    check_books()


def statuses(organization: Organization) -> list[budgets.Status]:
    return budgets.status(organization_id=organization.pk, api_key_id=KEY)


def test_a_total_is_of_a_key(organization: Organization) -> None:
    with pytest.raises(IntegrityError, match="budget_total_is_of_a_key"), transaction.atomic():
        budgets.put(organization=organization, period=Period.TOTAL, amount=Decimal(1))


def test_the_refusal_says_which_limit_and_that_a_retry_is_in_vain() -> None:
    refusal = out_of_budget(Limit(scope="key", period="month", amount=Decimal("12.500000000")))
    assert (refusal.status, refusal.code, refusal.type) == (429, "budget_exceeded", "insufficient_quota")
    assert refusal.headers["x-should-retry"] == "false"
    assert refusal.message.startswith("You exceeded the budget of this API key: $12.5 a month, which ends")
