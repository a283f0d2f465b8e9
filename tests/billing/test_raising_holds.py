"""A hold is raised while its job is spoken, as far as credit and budgets go and no further."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from billing import budgets, ledger, reservations
from billing.models import Account, Budget, BudgetPeriod, Price, Reservation
from tests.billing.books import FRAME, MODEL, account_of, admit, check_books, new_organization, usage

pytestmark = pytest.mark.django_db


def raise_to(job: UUID, frames: int) -> int:
    """The whole frames that the hold covers then."""
    with transaction.atomic():
        return reservations.raise_hold(job_id=job, cap_ms=frames * 40) // 40


def held(job: UUID) -> Decimal:
    return Reservation.objects.get(job_id=job).amount


def test_a_hold_is_raised_and_all_of_it_is_released() -> None:
    organization = new_organization(given="1")
    job = admit(organization, frames=100)
    assert raise_to(job, 250) == 250
    assert held(job) == account_of(organization).held == 250 * FRAME
    check_books()
    ledger.settle(usage(job, frames=250))
    account = account_of(organization)
    assert (account.balance, account.held) == (1 - 250 * FRAME, 0)
    check_books()


def test_a_hold_that_covers_as_much_is_left_alone() -> None:
    organization = new_organization(given="1")
    job = admit(organization, frames=100)
    assert raise_to(job, 60) == 60
    assert held(job) == 100 * FRAME


def test_it_is_raised_as_far_as_the_credit_goes() -> None:
    organization = new_organization(given="0.006")  # 200 frames
    job, other = admit(organization, frames=100), admit(organization, frames=20)
    assert raise_to(job, 500) == 180
    for each in (job, other):
        with pytest.raises(reservations.InsufficientCredit):
            raise_to(each, 600)
    assert account_of(organization).held == 200 * FRAME
    check_books()
    ledger.void(job_id=other)
    assert raise_to(job, 600) == 200
    check_books()


@pytest.mark.parametrize("price", ["0.07", "0.033333333", "0"])
def test_what_is_covered_costs_no_more_than_what_is_held(price: str) -> None:
    organization = new_organization(given="0.0100001")
    yesterday = timezone.now() - timedelta(days=1)
    Price.objects.create(
        organization=organization, model=MODEL, dollars_per_minute=Decimal(price), valid_from=yesterday
    )
    job = admit(organization, frames=100)
    frames = raise_to(job, 1000)
    assert frames == 1000 if price == "0" else 100 < frames < 1000
    ledger.settle(usage(job, frames=frames))
    check_books()


@pytest.mark.parametrize("of_key", [True, False])
def test_it_is_raised_as_far_as_a_budget_goes(of_key: bool) -> None:
    organization = new_organization(given="1")
    key = UUID(int=7) if of_key else None
    budgets.put(organization=organization, period=Budget.Period.MONTH, amount=150 * FRAME, api_key_id=key)
    job = admit(organization, frames=100, key=UUID(int=7))
    assert raise_to(job, 500) == 150
    with pytest.raises(reservations.BudgetExceeded) as refusal:
        raise_to(job, 500)
    assert refusal.value.which.scope == ("key" if of_key else "organization")
    assert BudgetPeriod.objects.get().held == 150 * FRAME
    check_books()
    ledger.settle(usage(job, frames=150))
    period = BudgetPeriod.objects.get()
    assert (period.held, period.spent) == (0, 150 * FRAME)
    check_books()


def test_a_suspended_organization_gets_no_more() -> None:
    organization = new_organization(given="1")
    job = admit(organization, frames=100)
    Account.objects.update(suspended_at=timezone.now())
    with pytest.raises(reservations.AccountSuspended):
        raise_to(job, 101)
    assert held(job) == 100 * FRAME


def test_a_hold_that_is_gone_is_not_raised() -> None:
    organization = new_organization(given="1")
    settled, voided, expired = (admit(organization, lasts=timedelta(seconds=n)) for n in (60, 60, -1))
    ledger.settle(usage(settled))
    ledger.void(job_id=voided)
    reservations.expire_overdue()
    for job in (settled, voided, expired, UUID(int=0)):
        with pytest.raises(reservations.HoldReleased):
            raise_to(job, 200)
    check_books()
