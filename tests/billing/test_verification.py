"""`ledger verify` says so when the books are wrong, and an operator's commands keep them right."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import keys, organizations
from accounts.identifiers import new_id
from accounts.models import Organization
from billing import budgets, ledger, tasks, verification
from billing.checks import Check
from billing.models import Account, Budget, BudgetPeriod, Grant, OperatorAct, Reservation, Verification
from billing.verification import Finding
from inference.models import SynthesisJob
from tests.billing.books import FRAME, account_of, admit, by_hand, new_organization, usage

pytestmark = pytest.mark.django_db
LONG_AGO = UUID("0190a0a0-0000-7000-8000-000000000001")


@pytest.fixture
def organization() -> Organization:
    """A little of everything, and all of it right."""
    organization = new_organization(given="1", paid="1")
    budgets.put(organization=organization, period=Budget.Period.DAY, amount=Decimal(1))
    ledger.settle(usage(admit(organization)))
    ledger.void(job_id=admit(organization))
    admit(organization)
    assert verification.verify().clean
    return organization


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("ledger", *arguments, stdout=output)
    return output.getvalue()


def wrong() -> dict[str, Finding]:
    return {finding.name: finding for finding in verification.verify().findings if finding.count}


def test_a_wrong_balance(organization: Organization) -> None:
    Account.objects.update(balance=Decimal("1.9"))
    found = wrong()["balances_are_entries"]
    assert (found.count, found.drift) == (1, Decimal("0.09925"))
    assert found.first == [f"organization {organization.pk}: 0.099250000"]


def test_a_wrong_hold(organization: Organization) -> None:
    Account.objects.update(held=0)
    assert wrong()["held_is_pending"].drift == 100 * FRAME


def test_a_budget_that_was_not_charged(organization: Organization) -> None:
    BudgetPeriod.objects.update(spent=0)
    assert wrong()["budgets_are_spent"].drift == 25 * FRAME


def test_a_budget_that_is_set_later_counts_what_was_spent_before(organization: Organization) -> None:
    running = admit(organization)
    budgets.put(organization=organization, period=Budget.Period.MONTH, amount=Decimal(1))
    ledger.settle(usage(running))
    ledger.settle(usage(admit(organization)))
    assert wrong() == {}
    month = BudgetPeriod.objects.get(budget__period=Budget.Period.MONTH)
    assert (month.spent, month.spent_before) == (50 * FRAME, 25 * FRAME)


def test_a_wrong_budget(organization: Organization) -> None:
    BudgetPeriod.objects.update(held=0)
    assert wrong()["budgets_hold_pending"].drift == 100 * FRAME


def test_a_wrong_grant(organization: Organization) -> None:
    Grant.objects.update(remaining=Decimal("0.5"))
    assert wrong()["grants_cover_promotional"].drift == Decimal("0.49925")


def test_a_record_without_its_entries(organization: Organization) -> None:
    by_hand(
        "DELETE FROM billing_ledgerentry USING billing_ledgertransaction movement "
        "WHERE movement.id = transaction_id AND kind = 'usage'"
    )
    assert set(wrong()) == {
        "usage_is_booked",
        "transactions_are_zero",
        "balances_are_entries",
        "usage_is_invoiced_or_unbilled",
    }


def test_entries_without_their_record(organization: Organization) -> None:
    by_hand("DELETE FROM billing_usagerecord")
    assert set(wrong()) == {
        "usage_is_booked",
        "posted_is_recorded",
        "budgets_are_spent",
        "usage_is_invoiced_or_unbilled",
    }


def test_a_transaction_that_is_not_zero(organization: Organization) -> None:
    by_hand("UPDATE billing_ledgerentry SET amount = amount - 1 WHERE account = 'cash'")
    assert wrong()["transactions_are_zero"].drift == 1


def test_a_record_whose_hold_was_never_posted(organization: Organization) -> None:
    Reservation.objects.filter(state="posted").update(state="voided")
    assert set(wrong()) == {"posted_is_recorded"}


def test_a_job_that_ended_well_and_was_not_billed() -> None:
    organization = organizations.create(name="A", owner_email="a@example.com")
    key, _ = keys.create(organization=organization, name="k")
    now = timezone.now()
    times = {"created_at": now, "enqueued_at": now, "deadline_at": now, "finished_at": now}
    SynthesisJob.objects.create(
        id=new_id(),
        organization=organization,
        api_key=key,
        state="succeeded",
        sampling={},
        max_frames=1,
        samples=960,
        **times,
    )
    assert set(wrong()) == {"jobs_are_recorded"}


def test_the_command_says_it_and_exits_with_one(organization: Organization) -> None:
    assert command("verify").endswith("drift $0.000000000, 0 late settlements\n")
    Account.objects.update(held=0)
    output = StringIO()
    with pytest.raises(SystemExit) as exit:
        call_command("ledger", "verify", stdout=output)
    assert exit.value.code == 1
    assert "WRONG  held_is_pending" in output.getvalue()
    assert f"organization {organization.pk}: -0.003000000" in output.getvalue()


def test_a_task_publishes_the_drift(organization: Organization, caplog: pytest.LogCaptureFixture) -> None:
    tasks.verify_ledger()
    Account.objects.update(held=0)
    tasks.verify_ledger()
    clean, drifted = Verification.objects.order_by("at")
    assert (clean.drift, clean.offenders) == (0, 0)
    assert (drifted.drift, drifted.offenders) == (100 * FRAME, 1)
    assert "held_is_pending" in caplog.text


def test_a_recent_proof_looks_at_the_last_hours_and_keeps_what_a_whole_one_found(
    organization: Organization,
) -> None:
    def publish(*, hours: int | None = None) -> dict[str, int]:
        since = None if hours is None else timezone.now() - timedelta(hours=hours)
        report = verification.publish(since=since)
        shown = Verification.objects.latest("at")
        assert (shown.offenders, shown.whole) == (report.offenders, hours is None)
        return {finding.name: finding.count for finding in report.findings if finding.count}

    old, new = (usage(admit(organization, job_id=id)).job_id for id in (LONG_AGO, new_id()))
    for job_id in (old, new):
        ledger.settle(usage(job_id))
        by_hand("UPDATE billing_ledgerentry SET amount = amount * 2 WHERE transaction_id = %s", job_id)
    assert publish(hours=3)["usage_is_booked"] == 1
    assert "balances_are_entries" not in publish(hours=3)
    whole = publish()
    assert (whole["usage_is_booked"], whole["balances_are_entries"]) == (2, 1)
    assert publish(hours=3) == whole
    by_hand("UPDATE billing_ledgerentry SET amount = amount / 2 WHERE transaction_id = ANY (%s)", [old, new])
    assert publish(hours=3) == whole
    Account.objects.update(held=0)
    assert publish(hours=3)["held_is_pending"] == 1
    assert set(publish()) == {"held_is_pending"}


def test_only_a_whole_proof_has_workers_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """To begin them takes longer than to read some hours, which look like more by a long history's statistics."""
    workers = "SELECT current_setting('max_parallel_workers_per_gather') AS subject, 0 AS drift"
    monkeypatch.setattr(verification, "CHECKS", [Check(name="workers", holds="", offenders=workers)])
    assert verification.verify().findings[0].first != ["0: 0"]
    assert verification.verify(since=timezone.now()).findings[0].first == ["0: 0"]


def test_a_whole_proof_is_due_a_hundred_times_its_own_length_after_the_last(organization: Organization) -> None:
    def next_is_whole(*, after: timedelta, took: timedelta) -> bool:
        Verification.objects.all().delete()
        verification.publish()
        Verification.objects.update(at=timezone.now() - after, took=took)
        verification.publish_due()
        return Verification.objects.latest("at").whole

    hour = timedelta(hours=1)
    assert next_is_whole(after=hour, took=timedelta(seconds=30))
    assert not next_is_whole(after=hour, took=timedelta(seconds=40))
    assert not next_is_whole(after=23 * hour, took=hour)
    assert next_is_whole(after=24 * hour, took=hour)


def test_an_operator_moves_credit(organization: Organization) -> None:
    def move(verb: str, amount: str, subject: UUID = organization.pk, *more: str) -> UUID:
        why = ("--cause", verb, "--reason", "ticket 7", "--actor", "ada")
        return UUID(command(verb, str(subject), amount, *why, *more).strip().rpartition("Transaction: ")[2])

    before = account_of(organization).balance
    paid = move("top-up", "5")
    assert move("top-up", "5") == paid
    move("grant", "3", organization.pk, "--expires", "2099-01-01")
    move("refund", "0.5")
    move("pay-out", "2")
    move("adjust", "-1.25", paid)
    assert account_of(organization).balance == before + Decimal("5.25")
    assert OperatorAct.objects.filter(actor="ada", reason="ticket 7").count() == 5
    assert Grant.objects.get(amount=3).expires_at is not None
    assert verification.verify().clean


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("grant", "00000000-0000-7000-8000-000000000000", "5"), "does not exist"),
        (("adjust", "00000000-0000-7000-8000-000000000000", "5"), "does not exist"),
        (("grant", "somebody", "5"), "somebody"),
        (("grant", "ORGANIZATION", "five"), "five"),
        (("grant", "ORGANIZATION", "0.0000000001"), "0.0000000001"),
        (("grant", "ORGANIZATION", "nan"), "nan"),
        (("grant", "ORGANIZATION", "-5"), "above zero"),
        (("pay-out", "ORGANIZATION", "500"), "InsufficientCredit"),
    ],
)
def test_what_an_operator_gets_wrong_is_said(organization: Organization, arguments: Any, message: str) -> None:
    verb, subject, amount = arguments
    subject = subject.replace("ORGANIZATION", str(organization.pk))
    with pytest.raises(CommandError, match=message):
        command(verb, subject, amount, "--cause", "c", "--reason", "r", "--actor", "a")
    assert not OperatorAct.objects.exists()
