"""Credit in and out by hand, each once, each with its counterpart and its operator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.identifiers import new_id
from billing import grants, ledger, tasks
from billing.booking import CauseTaken
from billing.ledger import Operator
from billing.models import Account, Grant, LedgerTransaction, OperatorAct
from billing.reservations import InsufficientCredit
from tests.billing.books import FRAME, OPERATOR, account_of, admit, check_books, new_organization, usage

pytestmark = pytest.mark.django_db


def legs(movement: LedgerTransaction) -> dict[str, Decimal]:
    return {entry.account: entry.amount for entry in movement.entries.all()}


def left_of_grants() -> dict[str, Decimal]:
    return {grant.transaction.cause: grant.remaining for grant in Grant.objects.select_related("transaction")}


@pytest.mark.parametrize(
    ("verb", "booked", "credit"),
    [
        (ledger.grant, {"promotional_expense": -5, "promotional_credit": 5}, 6),
        (ledger.top_up, {"cash": -5, "customer_credit": 5}, 6),
        (ledger.refund, {"refunds": -5, "customer_credit": 5}, 6),
        (ledger.pay_out, {"customer_credit": -5, "cash": 5}, 4),
    ],
    ids=["grant", "top_up", "refund", "pay_out"],
)
def test_each_movement_is_booked_once(verb: object, booked: dict[str, int], credit: int) -> None:
    organization, other = new_organization(given="1", paid="9"), new_organization(paid="9")
    before = account_of(organization).balance
    arguments = {"amount": Decimal(5), "cause": "welcome", "operator": OPERATOR}
    first = verb(organization=organization, **arguments)  # type: ignore[operator]
    assert verb(organization=organization, **arguments) == first  # type: ignore[operator]
    assert legs(first) == booked
    account = account_of(organization)
    assert account.balance == before + credit - 1 if credit == 6 else before - 5
    act = OperatorAct.objects.get()
    assert (act.actor, act.reason, act.transaction) == ("ada@example.com", "a test", first)
    with pytest.raises(CauseTaken):
        verb(organization=other, **arguments)  # type: ignore[operator]
    for changed in ({"amount": Decimal(6)}, {"operator": Operator(actor="bob@example.com", reason="other")}):
        with pytest.raises(CauseTaken, match=str(first.pk)):
            verb(organization=organization, **{**arguments, **changed})  # type: ignore[operator]
    for nothing in (Decimal(0), Decimal(-1)):
        with pytest.raises(ValueError, match="amount"):
            verb(organization=organization, amount=nothing, cause="nothing")  # type: ignore[operator]
    check_books()


def test_a_grants_repeat_has_the_same_end() -> None:
    organization = new_organization()
    end = datetime(2030, 1, 1, tzinfo=UTC)
    first = ledger.grant(organization=organization, amount=Decimal(1), cause="c", expires_at=end)
    assert ledger.grant(organization=organization, amount=Decimal(1), cause="c", expires_at=end) == first
    with pytest.raises(CauseTaken, match="until 2030-01-01"):
        ledger.grant(organization=organization, amount=Decimal(1), cause="c")


def test_a_corrections_repeat_corrects_the_same() -> None:
    organization = new_organization(paid="1")
    first, second = admit(organization), admit(organization)
    for job in (first, second):
        ledger.settle(usage(job))
    ledger.adjust(corrects=first, amount=FRAME, cause="c", operator=OPERATOR)
    for changed in ({"corrects": second}, {"amount": -FRAME}):
        with pytest.raises(CauseTaken):
            ledger.adjust(**{"corrects": first, "amount": FRAME, "cause": "c", "operator": OPERATOR, **changed})
    check_books()


def test_only_paid_credit_that_is_neither_used_nor_held_is_paid_out() -> None:
    organization = new_organization(given="0.001", paid="0.003")
    admit(organization, frames=50)
    for too_much in ("0.002500001", "0.003"):
        with pytest.raises(InsufficientCredit):
            ledger.pay_out(organization=organization, amount=Decimal(too_much), cause="all")
    ledger.pay_out(organization=organization, amount=Decimal("0.0025"), cause="all")
    assert account_of(organization).balance == 50 * FRAME
    check_books()


def test_a_correction_names_what_it_corrects_and_moves_the_same_accounts() -> None:
    organization = new_organization(paid="1")
    job = admit(organization)
    ledger.settle(usage(job))
    back = ledger.adjust(corrects=job, amount=10 * FRAME, cause="c1", operator=OPERATOR)
    assert ledger.adjust(corrects=job, amount=10 * FRAME, cause="c1", operator=OPERATOR) == back
    assert (back.corrects_id, legs(back)) == (job, {"revenue": -10 * FRAME, "customer_credit": 10 * FRAME})
    paid = LedgerTransaction.objects.get(kind="top_up")
    taken = ledger.adjust(corrects=paid.pk, amount=Decimal("-0.5"), cause="c2", operator=OPERATOR)
    assert legs(taken) == {"cash": Decimal("0.5"), "customer_credit": Decimal("-0.5")}
    assert account_of(organization).balance == Decimal("0.5") - 15 * FRAME
    with pytest.raises(InsufficientCredit):
        ledger.adjust(corrects=paid.pk, amount=Decimal("-0.5"), cause="c3", operator=OPERATOR)
    with pytest.raises(LedgerTransaction.DoesNotExist):
        ledger.adjust(corrects=new_id(), amount=Decimal(1), cause="c4", operator=OPERATOR)
    with pytest.raises(ValueError, match="corrects"):
        ledger.adjust(corrects=back.pk, amount=Decimal(1), cause="c5", operator=OPERATOR)
    check_books()


def test_a_grant_is_made_less_by_what_is_left_of_it() -> None:
    organization = new_organization(given="0.003", paid="1")
    grant = LedgerTransaction.objects.get(kind="grant").pk
    ledger.settle(usage(admit(organization), frames=60))
    with pytest.raises(ValueError, match="amount"):
        ledger.adjust(corrects=grant, amount=FRAME, cause="c", operator=OPERATOR)
    with pytest.raises(InsufficientCredit):
        ledger.adjust(corrects=grant, amount=-41 * FRAME, cause="c", operator=OPERATOR)
    less = ledger.adjust(corrects=grant, amount=-40 * FRAME, cause="c", operator=OPERATOR)
    assert legs(less) == {"promotional_credit": -40 * FRAME, "promotional_expense": 40 * FRAME}
    account = account_of(organization)
    assert (account.promotional, account.balance) == (0, 1)
    assert set(left_of_grants().values()) == {Decimal(0)}
    check_books()


def test_the_soonest_to_expire_is_spent_first_and_the_rest_expires() -> None:
    now = timezone.now()
    organization = new_organization(paid="1")
    for cause, days in (("never", None), ("late", 20), ("soon", 10)):
        expires = now + timedelta(days=days) if days else None
        ledger.grant(organization=organization, amount=100 * FRAME, cause=cause, expires_at=expires)
    ledger.settle(usage(admit(organization), frames=70))
    assert grants.expire_due() == 0
    Grant.objects.filter(transaction__cause="soon").update(expires_at=now - timedelta(seconds=1))
    tasks.expire_grants()
    assert left_of_grants() == {"never": 100 * FRAME, "late": 100 * FRAME, "soon": 0}
    expiry = LedgerTransaction.objects.get(kind="expiry")
    assert legs(expiry) == {"promotional_credit": -30 * FRAME, "promotional_expense": 30 * FRAME}
    assert account_of(organization).balance == 1 + 200 * FRAME
    ledger.settle(usage(admit(organization), frames=99))
    Grant.objects.filter(transaction__cause="late").update(expires_at=now - timedelta(seconds=1))
    assert (grants.expire_due(), grants.expire_due()) == (1, 0)
    assert left_of_grants() == {"never": 100 * FRAME, "late": 0, "soon": 0}
    assert account_of(organization).balance == 1 + 100 * FRAME
    check_books()


def test_what_was_spent_before_a_grant_is_not_taken_off_it() -> None:
    organization = new_organization(given="0.003")
    ledger.settle(usage(admit(organization), frames=70))
    hour_ago = timezone.now() - timedelta(hours=1)
    ledger.grant(organization=organization, amount=50 * FRAME, cause="sooner", expires_at=hour_ago)
    ledger.settle(usage(admit(organization, frames=80), frames=10))
    assert grants.expire_due() == 1
    assert sorted(left_of_grants().values()) == [0, 30 * FRAME]
    assert account_of(organization).balance == 30 * FRAME
    check_books()


def test_what_running_jobs_hold_does_not_expire_under_them() -> None:
    organization = new_organization()
    hour_ago = timezone.now() - timedelta(hours=1)
    ledger.grant(organization=organization, amount=100 * FRAME, cause="g", expires_at=hour_ago)
    job = admit(organization, frames=60)
    assert grants.expire_due() == 1
    assert account_of(organization).balance == 60 * FRAME
    assert grants.expire_due() == 0
    ledger.settle(usage(job, frames=25))
    assert grants.expire_due() == 1
    assert account_of(organization).balance == 0
    check_books()


def test_what_covers_an_overdraft_does_not_expire() -> None:
    organization = new_organization(paid="0.003")
    late = admit(organization)
    ledger.void(job_id=late)
    ledger.settle(usage(admit(organization), frames=100))
    ledger.settle(usage(late, frames=100))
    hour_ago = timezone.now() - timedelta(hours=1)
    ledger.grant(organization=organization, amount=150 * FRAME, cause="g", expires_at=hour_ago)
    assert grants.expire_due() == 1
    account = account_of(organization)
    assert (account.balance, account.promotional, account.overdraft) == (0, 100 * FRAME, 0)
    check_books()


def test_an_organization_without_an_account_gets_one() -> None:
    organization = new_organization()
    Account.objects.all().delete()
    ledger.grant(organization=organization, amount=Decimal(1), cause="g")
    assert account_of(organization).balance == 1
