"""What the database refuses, and what happens once however often it is asked for."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

import billing
from accounts.models import Organization
from billing import ledger
from billing.models import Account, LedgerEntry, LedgerTransaction, Price, Reservation, UsageRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    return Organization.objects.create(name="A")


def hold(organization: Organization, amount: str) -> Reservation:
    held = Account.objects.get(organization=organization).held + Decimal(amount)
    Account.objects.filter(organization=organization).update(held=held)
    return Reservation.objects.create(
        job_id=uuid4(), organization=organization, amount=Decimal(amount), price=Price.objects.get()
    )


def usage(reservation: Reservation, *, frames: int = 25) -> ledger.Usage:
    return ledger.Usage(
        job_id=reservation.job_id,
        api_key_id=uuid4(),
        model="boson/higgs-audio-v2.5",
        voice="alloy",
        samples=frames * 960,
        duration_ms=frames * 40,
    )


def test_a_grant_is_booked_once(organization: Organization) -> None:
    first = ledger.grant(organization=organization, amount=Decimal(5), cause="welcome")
    assert ledger.grant(organization=organization, amount=Decimal(5), cause="welcome") == first
    account = Account.objects.get(organization=organization)
    assert (account.balance, account.promotional) == (5, 5)
    assert {e.account: e.amount for e in first.entries.all()} == {
        "promotional_expense": -5,
        "promotional_credit": 5,
    }
    with pytest.raises(ValueError, match="amount"):
        ledger.grant(organization=organization, amount=Decimal(0), cause="nothing")


def test_a_settlement_is_booked_once(organization: Organization) -> None:
    ledger.grant(organization=organization, amount=Decimal(1), cause="welcome")
    reservation = hold(organization, "0.5")
    record = ledger.settle(usage(reservation))
    assert ledger.settle(usage(reservation, frames=50)) == record
    assert record.cost == Decimal("0.00075")
    account = Account.objects.get(organization=organization)
    assert (account.balance, account.held) == (Decimal("0.99925"), 0)
    assert not ledger.void(job_id=reservation.job_id)
    assert LedgerTransaction.objects.filter(kind="usage").count() == 1


def test_promotional_credit_goes_first_and_paid_credit_pays_the_rest(organization: Organization) -> None:
    ledger.grant(organization=organization, amount=Decimal("0.0005"), cause="welcome")
    Account.objects.filter(organization=organization).update(balance=Decimal("1.0005"))
    ledger.settle(usage(hold(organization, "0.1")))
    entries = LedgerEntry.objects.filter(transaction__kind="usage").values_list("account", "amount")
    assert dict(entries) == {
        "promotional_credit": Decimal("-0.0005"),
        "customer_credit": Decimal("-0.00025"),
        "revenue": Decimal("0.00075"),
    }
    account = Account.objects.get(organization=organization)
    assert (account.balance, account.promotional) == (Decimal("0.99975"), 0)


def test_a_void_releases_once(organization: Organization) -> None:
    ledger.grant(organization=organization, amount=Decimal(1), cause="welcome")
    reservation = hold(organization, "0.5")
    assert ledger.void(job_id=reservation.job_id)
    assert not ledger.void(job_id=reservation.job_id)
    account = Account.objects.get(organization=organization)
    assert (account.balance, account.held) == (1, 0)
    assert not UsageRecord.objects.exists()


def test_an_empty_audio_is_recorded_and_costs_nothing(organization: Organization) -> None:
    ledger.grant(organization=organization, amount=Decimal(1), cause="welcome")
    assert ledger.settle(usage(hold(organization, "0.5"), frames=0)).cost == 0
    assert Account.objects.get(organization=organization).balance == 1


def test_nobody_can_overspend_even_by_hand(organization: Organization) -> None:
    ledger.grant(organization=organization, amount=Decimal(1), cause="welcome")
    for change in ({"balance": Decimal("-0.000000001")}, {"held": Decimal("1.000000001")}):
        with pytest.raises(IntegrityError, match="account_never_overspent"), transaction.atomic():
            Account.objects.filter(organization=organization).update(**change)
    Account.objects.filter(organization=organization).update(credit_limit=3, held=4)


def test_what_is_booked_cannot_be_changed(organization: Organization) -> None:
    ledger.grant(organization=organization, amount=Decimal(1), cause="welcome")
    ledger.settle(usage(hold(organization, "0.5")))
    for model, column in ((LedgerTransaction, "cause"), (LedgerEntry, "amount"), (UsageRecord, "cost")):
        rows = model._default_manager.all()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(**{column: F(column)})
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows._raw_delete(using="default")


def test_what_does_not_sum_to_zero_cannot_be_booked(organization: Organization) -> None:
    movement = LedgerTransaction.objects.create(kind="grant", cause="lopsided", organization=organization)
    LedgerEntry.objects.create(transaction=movement, account="revenue", amount=Decimal(1))
    with pytest.raises(IntegrityError, match="does not sum to zero"):
        connection.check_constraints()


def test_a_usage_record_is_whole_milliseconds(organization: Organization) -> None:
    ledger.grant(organization=organization, amount=Decimal(1), cause="welcome")
    crooked = ledger.Usage(
        job_id=hold(organization, "0.5").job_id,
        api_key_id=uuid4(),
        model="m",
        voice="v",
        samples=961,
        duration_ms=40,
    )
    with pytest.raises(IntegrityError, match="usage_whole_milliseconds"), transaction.atomic():
        ledger.settle(crooked)


def test_no_float_comes_near_money() -> None:
    for path in Path(billing.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            says_float = isinstance(node, ast.Name) and node.id == "float"
            assert not is_float, f"{path}:{getattr(node, 'lineno', '?')}"
            assert not says_float, f"{path}:{getattr(node, 'lineno', '?')}"
