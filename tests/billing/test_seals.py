"""Months that are over are sealed once. A proof trusts unbroken seals and reads the rows since."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts import keys
from accounts.identifiers import new_id, uuid7_floor
from accounts.models import Organization
from billing import budgets, ledger, partitions, sealing, seals, verification
from billing.models import Account, Budget, BudgetPeriod, Reservation, SealedSum
from inference.models import SynthesisJob
from tests.billing.books import FRAME, admit, by_hand, new_organization, usage

pytestmark = pytest.mark.django_db

_THIS_MONTH = timezone.now().date().replace(day=1)


def month_before(months: int) -> datetime:
    years, month = divmod(_THIS_MONTH.year * 12 + _THIS_MONTH.month - 1 - months, 12)
    return datetime(years, month + 1, 15, tzinfo=UTC)


def old_id(months: int, number: int = 1) -> UUID:
    """A job's id made in the middle of the month so many months ago."""
    return UUID(int=uuid7_floor(month_before(months)).int + (7 << 76) + (2 << 62) + number)


@pytest.fixture
def organization() -> Organization:
    """It was billed five and three months ago, with a budget, and just now."""
    organization = new_organization(given="1", paid="1")
    budgets.put(organization=organization, period=Budget.Period.DAY, amount=Decimal(1))
    for job_id in (old_id(5), old_id(3), new_id()):
        ledger.settle(usage(admit(organization, job_id=job_id)))
    return organization


def wrong(**how: object) -> set[str]:
    return {finding.name for finding in verification.verify(**how).findings if finding.count}  # type: ignore[arg-type]


def settled_months() -> list[str]:
    return [f"{month:%Y-%m}" for month in seals.sealed_months()]


def test_each_month_is_sealed_once_up_to_the_last_that_is_over(organization: Organization) -> None:
    made = sealing.seal_due()
    expected = [month_before(months).date().replace(day=1) for months in (5, 4, 3)]
    assert [seal.month for seal in made][:3] == expected
    assert made[-1].month < _THIS_MONTH
    assert [seal.rows for seal in made][:3] == [4, 0, 4]  # a record, a transaction and its two legs
    assert sealing.seal_due() == []
    assert wrong() == wrong(full=True) == set()


def test_nothing_is_sealed_where_nothing_is_booked() -> None:
    assert sealing.seal_due() == []


def test_a_changed_row_of_a_sealed_month(organization: Organization) -> None:
    sealing.seal_due()
    by_hand("UPDATE billing_ledgerentry SET amount = amount * 2 WHERE transaction_id = %s", old_id(3))
    assert wrong() == set()
    assert wrong(month=month_before(4).date().replace(day=1)) == set()
    assert wrong(month=month_before(3).date().replace(day=1)) == {verification.SEALS}
    assert wrong(full=True) >= {verification.SEALS, "usage_is_booked", "balances_are_entries"}


@pytest.mark.parametrize(
    "deletion",
    [
        "DELETE FROM billing_usagerecord WHERE job_id = %s",
        "DELETE FROM billing_ledgerentry WHERE transaction_id = %s",
    ],
)
def test_a_deleted_row_of_a_sealed_month(organization: Organization, deletion: str) -> None:
    sealing.seal_due()
    by_hand(deletion, old_id(5))
    assert verification.SEALS in wrong(full=True)


def test_a_changed_row_of_an_open_month(organization: Organization) -> None:
    sealing.seal_due()
    by_hand(
        "UPDATE billing_ledgerentry SET amount = amount * 2 WHERE account = 'revenue' AND transaction_id > %s",
        old_id(1),
    )
    assert wrong() >= {"usage_is_booked", "transactions_are_zero"}


def test_sums_over_history_are_still_compared(organization: Organization) -> None:
    sealing.seal_due()
    Account.objects.update(balance=Account.objects.get().balance - 25 * FRAME)
    BudgetPeriod.objects.update(spent=25 * FRAME)
    assert wrong() == {"balances_are_entries", "budgets_are_spent"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_sealedsum SET amount = amount + 1",
        "DELETE FROM billing_sealedsum",
        "UPDATE billing_monthseal SET rows_digest = repeat('0', 64)",
        "UPDATE billing_monthseal SET digest = repeat('0', 64)",
        "DELETE FROM billing_monthseal WHERE month NOT IN (SELECT month FROM billing_sealedsum)",
    ],
)
def test_a_changed_seal(organization: Organization, change: str) -> None:
    sealing.seal_due()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    by_hand(change)
    assert verification.SEALS in wrong()


def test_a_sealed_month_takes_no_new_row() -> None:
    first = month_before(3).date().replace(day=1)
    partitions.ensure_partitions("billing_usagerecord", since=first)
    organization = new_organization(given="1", paid="1")
    ledger.settle(usage(admit(organization, job_id=old_id(3))))
    late = admit(organization, job_id=old_id(3, number=2))
    ledger.void(job_id=late)
    sealing.seal_due()
    with pytest.raises(DatabaseError, match="is sealed"), transaction.atomic():
        ledger.settle(usage(late))
    ledger.settle(usage(admit(organization)))
    assert wrong(full=True) == set()


def test_a_month_with_a_pending_hold_stays_open(organization: Organization) -> None:
    held = admit(organization, job_id=old_id(3, number=2))
    sealing.seal_due()
    assert settled_months() == [f"{month_before(5):%Y-%m}", f"{month_before(4):%Y-%m}"]
    ledger.settle(usage(held))
    assert f"{sealing.seal_due()[0].month:%Y-%m}" == f"{month_before(3):%Y-%m}"


def test_a_month_with_a_job_that_has_not_ended_stays_open(organization: Organization) -> None:
    now = timezone.now()
    key, _ = keys.create(organization=organization, name="k")
    SynthesisJob.objects.create(
        id=old_id(5, number=2), organization=organization, api_key=key, sampling={}, max_frames=1, text="Hi.",
        created_at=now, enqueued_at=now, deadline_at=now,
    )  # fmt: skip
    assert sealing.seal_due() == []


def test_a_month_with_a_wrong_row_is_not_sealed(organization: Organization) -> None:
    Reservation.objects.filter(job_id=old_id(3)).update(state="voided")
    assert sealing.seal_due() == []
    assert not SealedSum.objects.exists()


def test_the_command_reads_sealed_rows_where_it_is_asked_to(organization: Organization) -> None:
    sealing.seal_due()
    by_hand("UPDATE billing_usagerecord SET voice = 'nova' WHERE job_id = %s", old_id(3))
    call_command("ledger", "verify", stdout=StringIO())
    for arguments in (["--full"], ["--month", f"{month_before(3):%Y-%m}"]):
        output = StringIO()
        with pytest.raises(SystemExit):
            call_command("ledger", "verify", *arguments, stdout=output)
        assert f"{month_before(3):%Y-%m}: the month's rows are not those that were sealed" in output.getvalue()
    with pytest.raises(CommandError, match="not sealed"):
        call_command("ledger", "verify", "--month", f"{_THIS_MONTH:%Y-%m}")
