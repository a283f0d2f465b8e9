"""A finished job becomes money once, in one statement, at the price of its admission."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.identifiers import new_id
from billing import ledger, reservations
from billing.models import Account, LedgerEntry, LedgerTransaction, Price, Reservation
from billing.settlement import ExceedsHold
from tests.billing.books import FRAME, MODEL, account_of, admit, check_books, new_organization, usage

pytestmark = pytest.mark.django_db


def legs_of_usage() -> dict[str, Decimal]:
    return dict(LedgerEntry.objects.filter(transaction__kind="usage").values_list("account", "amount"))


def test_a_settlement_is_one_statement_and_a_repeat_two(django_assert_num_queries: object) -> None:
    job = admit(new_organization(given="1"))
    with django_assert_num_queries(1):  # type: ignore[operator]
        record = ledger.settle(usage(job))
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert ledger.settle(usage(job, frames=50)) == record
    check_books()


def test_a_hold_a_release_and_a_sweep_are_one_statement_each(django_assert_num_queries: object) -> None:
    organization = new_organization(given="1")
    connection.ensure_connection()
    with django_assert_num_queries(3):  # type: ignore[operator]  # with the savepoint of the test's `admit`
        job = admit(organization)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert reservations.void(job_id=job)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert reservations.expire_overdue() == 0


def test_a_settlement_is_booked_once() -> None:
    organization = new_organization(given="1")
    job = admit(organization)
    assert account_of(organization).held == 100 * FRAME
    record = ledger.settle(usage(job))
    ledger.settle(usage(job, frames=50))
    record.refresh_from_db()
    assert (record.cost, record.duration_ms, record.organization) == (Decimal("0.00075"), 1000, organization)
    account = account_of(organization)
    assert (account.balance, account.held, account.promotional) == (Decimal("0.99925"), 0, Decimal("0.99925"))
    assert not ledger.void(job_id=job)
    assert LedgerTransaction.objects.get(kind="usage").pk == job
    assert Reservation.objects.get().state == "posted"


def test_promotional_credit_goes_first_and_paid_credit_pays_the_rest() -> None:
    organization = new_organization(given="0.0005", paid="1")
    ledger.settle(usage(admit(organization)))
    assert legs_of_usage() == {
        "promotional_credit": Decimal("-0.0005"),
        "customer_credit": Decimal("-0.00025"),
        "revenue": Decimal("0.00075"),
    }
    account = account_of(organization)
    assert (account.balance, account.promotional) == (Decimal("0.99975"), 0)
    check_books()


def test_an_empty_audio_is_recorded_and_costs_nothing() -> None:
    organization = new_organization(given="1")
    assert ledger.settle(usage(admit(organization), frames=0)).cost == 0
    assert account_of(organization).balance == 1
    assert not LedgerTransaction.objects.filter(kind="usage").exists()
    check_books()


def test_what_was_not_admitted_is_not_billed() -> None:
    with pytest.raises(Reservation.DoesNotExist):
        ledger.settle(usage(new_id()))
    assert not ledger.void(job_id=new_id())


def test_more_than_was_held_is_a_defect_and_not_a_bill() -> None:
    organization = new_organization(given="1")
    job = admit(organization, frames=24)
    with pytest.raises(ExceedsHold):
        ledger.settle(usage(job, frames=25))
    assert Reservation.objects.get().state == "pending"
    assert ledger.settle(usage(job, frames=24)).cost == 24 * FRAME


def test_a_usage_record_is_whole_milliseconds_at_the_price_of_the_formula() -> None:
    job = admit(new_organization(given="1"))
    crooked = ledger.Usage(job_id=job, api_key_id=uuid4(), model="m", voice="v", samples=961, duration_ms=40)
    with pytest.raises(IntegrityError, match="usage_whole_milliseconds"), transaction.atomic():
        ledger.settle(crooked)
    record = ledger.settle(usage(job))
    record.pk, record.cost = new_id(), record.cost + Decimal("0.000000001")
    with pytest.raises(IntegrityError, match="usage_cost_is_the_formula"), transaction.atomic():
        record.save(force_insert=True)


def test_the_price_is_that_of_the_admission() -> None:
    organization = new_organization(given="1")
    early = admit(organization)
    later = Price.objects.create(
        organization=organization,
        model=MODEL,
        dollars_per_minute=Decimal("0.02"),
        valid_from=timezone.now() - timedelta(days=1),
    )
    late = admit(organization)
    assert ledger.settle(usage(early)).dollars_per_minute == Decimal("0.045")
    assert ledger.settle(usage(late)).dollars_per_minute == later.dollars_per_minute
    check_books()


@pytest.mark.parametrize("released", ["voided", "expired"])
def test_a_late_settlement_is_booked_and_counted(released: str, caplog: pytest.LogCaptureFixture) -> None:
    organization = new_organization(given="1")
    job = admit(organization, lasts=timedelta(seconds=-1))
    assert ledger.void(job_id=job) if released == "voided" else reservations.expire_overdue() == 1
    assert Reservation.objects.get().state == released
    assert ledger.settle(usage(job)).cost == 25 * FRAME
    assert "after its hold had been released" in caplog.text
    account = account_of(organization)
    assert (account.balance, account.held, account.overdraft) == (1 - 25 * FRAME, 0, 0)
    reservation = Reservation.objects.get()
    assert (reservation.state, reservation.late) == ("posted", True)
    assert ledger.settle(usage(job)).cost == 25 * FRAME
    check_books()


def test_a_late_settlement_may_pass_the_floor_by_what_is_missing_and_no_more() -> None:
    organization = new_organization(given="0.003")
    job = admit(organization)
    ledger.void(job_id=job)
    running = admit(organization)
    ledger.settle(usage(job))
    account = account_of(organization)
    assert (account.balance, account.held, account.overdraft) == (75 * FRAME, 100 * FRAME, 25 * FRAME)
    with pytest.raises(reservations.InsufficientCredit):
        admit(organization, frames=1)
    with pytest.raises(IntegrityError, match="account_never_overspent"), transaction.atomic():
        Account.objects.update(balance=account.balance - FRAME)
    ledger.settle(usage(running, frames=100))
    assert account_of(organization).balance == -25 * FRAME
    check_books()
    ledger.top_up(organization=organization, amount=20 * FRAME, cause="t1")
    assert account_of(organization).overdraft == 5 * FRAME
    ledger.top_up(organization=organization, amount=20 * FRAME, cause="t2")
    assert account_of(organization).overdraft == 0
    check_books()
