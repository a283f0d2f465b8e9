"""Automatic recharge: one charge at a time, never above the ceiling, and none after one that failed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from accounts.models import Organization
from billing import tasks
from billing.models import AutoRecharge, StripeCall, StripePayment
from billing.stripe import recharge, sending
from billing.stripe.recharge import NoCard
from tests.billing.books import account_of, admit, check_books, new_organization, usage
from tests.billing.stripe.world import DAY_AND_MORE, let_pass, new_payer, run, save_card, soon
from tests.fakes.stripe_server import FakeStripe, Fault

pytestmark = pytest.mark.django_db


def order(organization: Organization, *, amount: str = "10", ceiling: str = "30") -> AutoRecharge:
    return recharge.put(
        organization=organization,
        threshold=Decimal(5),
        amount=Decimal(amount),
        monthly_ceiling=Decimal(ceiling),
    )


def spend_all(organization: Organization) -> None:
    """As generated audio would, in one stroke."""
    from billing import ledger

    while (left := account_of(organization).balance) > Decimal("0.003"):
        frames = min(int(left / Decimal("0.00003")), 100_000)
        ledger.settle(usage(admit(organization, frames=frames), frames=frames))


def test_the_card_is_charged_below_the_threshold_up_to_the_ceiling(fake: FakeStripe) -> None:
    organization = new_payer()
    save_card(fake, organization)
    order(organization)
    for charges in (1, 2, 3, 3):
        tasks.recharge_accounts()
        tasks.recharge_accounts()
        run(fake)
        assert fake.balance() == charges * 1000
        assert StripePayment.objects.filter(purpose="recharge", state="paid").count() == charges
        spend_all(organization)
    AutoRecharge.objects.update(month=date(2026, 1, 1))  # another month
    tasks.recharge_accounts()
    run(fake)
    assert fake.balance() == 4000
    assert AutoRecharge.objects.get().charged == 10
    check_books()


def test_nothing_is_charged_above_the_threshold_or_of_who_is_suspended(fake: FakeStripe) -> None:
    rich, suspended = new_payer(paid="5.00"), new_payer()
    for organization in (rich, suspended):
        save_card(fake, organization)
        order(organization)
    Organization.objects.filter(pk=suspended.pk).update(suspended_at="2026-01-01T00:00:00Z")
    assert recharge.run_due() == 0


def test_one_charge_is_in_flight_however_often_it_is_looked(fake: FakeStripe) -> None:
    organization = new_payer()
    save_card(fake, organization, "waits")
    order(organization)
    assert recharge.run_due() == 1
    assert recharge.run_due() == 0
    run(fake)
    assert recharge.run_due() == 0
    assert AutoRecharge.objects.get().charged == 10
    with pytest.raises(IntegrityError, match="one_recharge_in_flight"), transaction.atomic():
        StripePayment.objects.create(organization=organization, purpose="recharge", amount=1)
    fake.settle_waiting()
    run(fake)
    assert account_of(organization).balance == 10
    assert StripePayment.objects.get(purpose="recharge").state == "paid"


@pytest.mark.parametrize("code", ["card_declined", "authentication_required", "expired_card"])
def test_after_a_charge_that_failed_there_is_a_letter_and_no_other_charge(
    fake: FakeStripe, code: str, django_capture_on_commit_callbacks: object
) -> None:
    organization = new_payer()
    save_card(fake, organization, code)
    order(organization)
    assert recharge.run_due() == 1
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        sending.send_due()
    (letter,) = mail.outbox
    assert letter.to == [f"{organization.pk}@example.com"]
    assert "10.00" in letter.body
    for _ in range(3):
        run(fake)
        assert recharge.run_due() == 0
        let_pass(fake, soon())
    assert len(fake.store.all("payment_intent")) == 1
    assert StripePayment.objects.get().failure == code
    stopped = AutoRecharge.objects.get()
    assert (stopped.stopped_because, stopped.charged) == (code, 0)
    assert len(mail.outbox) == 1
    save_card(fake, organization)
    order(organization)
    assert recharge.run_due() == 1
    run(fake)
    assert account_of(organization).balance == 10


@pytest.mark.parametrize("fault", ["lost after", "lost before", "500 after", "500 before", "409", "429"])
def test_whatever_happens_to_the_request_the_card_is_charged_once(fake: FakeStripe, fault: Fault) -> None:
    organization = new_payer()
    save_card(fake, organization)
    order(organization, ceiling="10")
    recharge.run_due()
    fake.faults.append(fault)
    for wait in (soon(), DAY_AND_MORE, soon(), DAY_AND_MORE):
        sending.send_due()
        recharge.run_due()
        let_pass(fake, wait)
    run(fake)
    assert fake.balance() == 1000
    assert account_of(organization).balance == 10
    assert StripeCall.objects.get(operation="payment_intent.create").state == "sent"


def test_a_charge_that_was_made_and_whose_sender_died_is_found(
    fake: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = new_payer()
    save_card(fake, organization)
    order(organization)
    recharge.run_due()
    with monkeypatch.context() as death:
        death.setattr(sending, "_end", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            sending.send_due()
    assert fake.balance() == 1000
    assert sending.send_due() == 0  # its lease holds
    let_pass(fake, DAY_AND_MORE)
    sending.send_due()
    assert fake.balance() == 1000
    assert account_of(organization).balance == 10


def test_an_order_that_makes_no_sense_is_refused(fake: FakeStripe) -> None:
    organization = new_organization()
    with pytest.raises(NoCard):
        order(organization)
    save_card(fake, organization)
    for amount, ceiling in (("0", "30"), ("4.99", "30"), ("10", "9.99"), ("10.001", "30")):
        with pytest.raises(ValueError, match=r"amount|ceiling"):
            order(organization, amount=amount, ceiling=ceiling)
    assert not AutoRecharge.objects.exists()
