"""What is not there cannot be held, and what is held is released once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing import ledger, reservations, tasks
from billing.models import Account, Price, Reservation, UsageRecord
from tests.billing.books import FRAME, MODEL, account_of, admit, check_books, new_organization

pytestmark = pytest.mark.django_db


def test_credit_is_held_to_the_last_nano_dollar() -> None:
    organization = new_organization(given="0.006", paid="0.003")
    for _ in range(3):
        admit(organization, frames=100)
    with pytest.raises(reservations.InsufficientCredit) as refusal:
        admit(organization, frames=1)
    assert refusal.value.needed == FRAME
    assert account_of(organization).held == Decimal("0.009")
    check_books()


def test_a_credit_limit_is_credit() -> None:
    organization = new_organization()
    with pytest.raises(reservations.InsufficientCredit):
        admit(organization, frames=1)
    Account.objects.update(credit_limit=100 * FRAME)
    admit(organization, frames=100)
    with pytest.raises(reservations.InsufficientCredit):
        admit(organization, frames=1)


def test_nothing_is_sold_without_a_price() -> None:
    organization = new_organization(given="1")
    with pytest.raises(reservations.NoPrice):
        admit(organization, model="tts-1")
    assert account_of(organization).held == 0
    Price.objects.update(valid_to=timezone.now() - timedelta(days=1))
    with pytest.raises(reservations.NoPrice):
        admit(organization)


def test_a_hold_is_the_cost_of_the_cap_at_the_organizations_own_price() -> None:
    yesterday = timezone.now() - timedelta(days=1)
    organization, other = new_organization(given="1"), new_organization(given="1")
    Price.objects.create(
        organization=organization, model=MODEL, dollars_per_minute=Decimal("0.03"), valid_from=yesterday
    )
    assert Reservation.objects.get(job_id=admit(organization, frames=25)).amount == Decimal("0.0005")
    assert Reservation.objects.get(job_id=admit(other, frames=25)).amount == Decimal("0.00075")


def test_a_void_releases_once() -> None:
    organization = new_organization(given="1")
    job = admit(organization)
    assert ledger.void(job_id=job)
    assert not ledger.void(job_id=job)
    account = account_of(organization)
    assert (account.balance, account.held) == (1, 0)
    assert not UsageRecord.objects.exists()
    assert Reservation.objects.get().state == "voided"


def test_what_outlived_its_deadline_is_released() -> None:
    organization = new_organization(given="1")
    admit(organization, lasts=timedelta(seconds=1))
    overdue = admit(organization, lasts=timedelta(seconds=-1))
    tasks.expire_overdue()
    assert account_of(organization).held == 100 * FRAME
    assert Reservation.objects.get(job_id=overdue).state == "expired"
    assert reservations.expire_overdue() == 0
    assert not ledger.void(job_id=overdue)
    check_books()


def test_a_hold_that_cannot_be_released_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    wrong, right = new_organization(given="1"), new_organization(given="1")
    broken = admit(wrong, lasts=timedelta(seconds=-2))
    admit(right, lasts=timedelta(seconds=-1))
    Account.objects.filter(organization=wrong).update(held=0)
    assert reservations.expire_overdue() == 1
    assert account_of(right).held == 0
    assert Reservation.objects.get(job_id=broken).state == "pending"
    assert str(broken) in caplog.text


def test_nobody_can_overspend_even_by_hand() -> None:
    organization = new_organization(given="1")
    for change in ({"balance": Decimal("-0.000000001")}, {"held": Decimal("1.000000001")}):
        with pytest.raises(IntegrityError, match="account_never_overspent"), transaction.atomic():
            Account.objects.filter(organization=organization).update(**change)
    Account.objects.filter(organization=organization).update(credit_limit=3, held=4)


def test_a_job_is_held_once() -> None:
    organization = new_organization(given="1")
    job = admit(organization)
    with pytest.raises(IntegrityError, match="billing_reservation_pkey"):
        admit(organization, job_id=job)
    assert account_of(organization).held == 100 * FRAME
