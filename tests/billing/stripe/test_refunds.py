"""Money that goes back: asked for by us, made in Stripe's dashboard, or taken by a bank."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from billing import ledger
from billing.models import AutoRecharge, LedgerTransaction, StripeDispute, StripePayment, StripeRefund
from billing.reservations import InsufficientCredit
from billing.stripe import recharge, refunds
from tests.billing.books import OPERATOR, account_of, admit, check_books, usage
from tests.billing.stripe.world import DAY_AND_MORE, let_pass, new_payer, run, save_card, soon, top_up
from tests.fakes.stripe.store import Thing
from tests.fakes.stripe_server import FakeStripe, Fault

pytestmark = pytest.mark.django_db


def ask(payment: StripePayment, dollars: str, cause: str = "c") -> StripeRefund:
    return refunds.request(payment=payment, amount=Decimal(dollars), cause=cause, operator=OPERATOR)


def intent_of(fake: FakeStripe, payment: StripePayment) -> Thing:
    return fake.store.get("payment_intent", str(payment.payment_intent))


def test_unused_credit_goes_back_to_the_card_once(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization)
    first = ask(payment, "5")
    assert ask(payment, "5") == first
    assert account_of(organization).balance == 15
    run(fake)
    first.refresh_from_db()
    assert (first.state, fake.balance()) == ("succeeded", 1500)
    call_command(
        "stripe", "refund", str(payment.pk), "5", "--cause", "d", "--reason", "asked", "--actor", "ada@example.com"
    )
    assert fake.balance() == 1000
    with pytest.raises(CommandError, match="amount"):
        call_command(
            "stripe", "refund", str(payment.pk), "11", "--cause", "e", "--reason", "asked", "--actor", "ada"
        )
    check_books()


def test_what_is_used_or_held_does_not_go_back(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization)
    ledger.settle(usage(admit(organization, frames=100), frames=100))
    with pytest.raises(InsufficientCredit):
        ask(payment, "20")
    payment.refresh_from_db()
    assert payment.returned == 0
    with pytest.raises(ValueError, match="amount"):
        ask(payment, "20.01")
    run(fake)
    assert fake.balance() == 2000


@pytest.mark.parametrize("fault", ["lost after", "lost before", "500 after", "500 before", "409", "429"])
def test_whatever_happens_to_the_request_it_goes_back_once(fake: FakeStripe, fault: Fault) -> None:
    organization = new_payer()
    ask(top_up(fake, organization), "5")
    fake.faults.append(fault)
    for wait in (soon(), DAY_AND_MORE, soon(), DAY_AND_MORE):
        run(fake)
        let_pass(fake, wait)
    run(fake)
    assert fake.balance() == 1500
    assert account_of(organization).balance == 15
    assert StripeRefund.objects.get().state == "succeeded"


def test_a_refund_that_the_bank_did_not_take_is_credit_again(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization)
    ask(payment, "5")
    run(fake)
    fake.fail_refund(fake.store.all("refund")[0])
    run(fake)
    assert account_of(organization).balance == 20
    assert StripeRefund.objects.get().state == "failed"
    payment.refresh_from_db()
    assert payment.returned == 0
    assert fake.balance() == 2000
    check_books()


def test_a_refund_that_stripe_refuses_is_credit_again(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization)
    fake.refund_in_dashboard(intent_of(fake, payment), 1800)
    ask(payment, "5")
    run(fake)
    assert StripeRefund.objects.get(stripe_id=None).state == "failed"
    assert account_of(organization).balance == 2
    assert fake.balance() == 200
    check_books()


def test_a_refund_in_the_dashboard_is_booked_even_where_the_credit_is_used(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization, "5.00")
    ledger.settle(usage(admit(organization, frames=100_000), frames=100_000))
    assert account_of(organization).balance == 2
    fake.refund_in_dashboard(intent_of(fake, payment), 500)
    run(fake)
    account = account_of(organization)
    assert (account.balance, account.overdraft) == (-3, 3)
    check_books()
    top_up(fake, organization, "5.00")
    account = account_of(organization)
    assert (account.balance, account.overdraft) == (2, 0)
    check_books()


def test_a_bank_takes_the_money_and_gives_it_back(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization)
    dispute = fake.dispute(intent_of(fake, payment))
    assert dispute
    run(fake)
    assert account_of(organization).balance == 0
    assert fake.balance() == 0
    fake.decide(dispute, won=True)
    run(fake)
    assert account_of(organization).balance == 20
    assert StripeDispute.objects.get().status == "won"
    assert fake.balance() == 2000
    moved = LedgerTransaction.objects.filter(organization=organization).order_by("created_at", "id")
    assert list(moved.values_list("kind", flat=True)) == ["top_up", "dispute", "correction"]
    check_books()


def test_a_dispute_that_is_lost_moves_the_money_once(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization)
    dispute = fake.dispute(intent_of(fake, payment))
    assert dispute
    fake.decide(dispute, won=False)
    run(fake)
    assert account_of(organization).balance == 0
    assert StripeDispute.objects.get().status == "lost"
    check_books()


@pytest.mark.parametrize("order", ["as told", "backwards"])
def test_the_order_of_events_does_not_matter(fake: FakeStripe, order: str) -> None:
    from tests.billing.stripe.world import page_of

    organization = new_payer()
    intent = fake.pay_page(page_of(organization))
    fake.refund_in_dashboard(intent, 300)
    dispute = fake.dispute(intent)
    assert dispute
    fake.decide(dispute, won=True)
    if order == "backwards":
        fake.store.undelivered.reverse()
    run(fake)
    assert account_of(organization).balance == 17
    assert StripePayment.objects.get().returned == 3
    check_books()


def test_a_dispute_stops_automatic_recharge(fake: FakeStripe) -> None:
    organization = new_payer()
    save_card(fake, organization)
    recharge.put(organization=organization, threshold=Decimal(5), amount=Decimal(10), monthly_ceiling=Decimal(100))
    recharge.run_due()
    run(fake)
    fake.dispute(fake.store.all("payment_intent")[0])
    run(fake)
    assert AutoRecharge.objects.get().stopped_because == "a payment was disputed"
    assert account_of(organization).balance == 0
    assert recharge.run_due() == 0
