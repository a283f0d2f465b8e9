"""Credit by Checkout: one charge and one movement, whatever happens on the way."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from billing.models import LedgerTransaction, StripeCall, StripeCustomer, StripeEvent, StripePayment
from billing.stripe import checkout, sending
from billing.stripe.checkout import StripeUnavailable
from tests.billing.books import account_of, check_books
from tests.billing.stripe.world import (
    DAY_AND_MORE,
    PAGES,
    let_pass,
    new_payer,
    page_of,
    post,
    run,
    save_card,
    soon,
    top_up,
)
from tests.fakes.stripe_server import FakeStripe, Fault, public

pytestmark = pytest.mark.django_db


def test_what_is_paid_becomes_credit_once(fake: FakeStripe) -> None:
    organization = new_payer()
    payment = top_up(fake, organization, "20.00")
    assert (payment.state, payment.amount) == ("paid", 20)
    assert account_of(organization).balance == 20
    events = fake.store.all("event")
    for event in events:  # Stripe tells it all again
        body = json.dumps(public(event))
        assert post(body.encode(), fake.sign(body)) == 204
    run(fake)
    assert account_of(organization).balance == 20
    assert payment.booked().entries.get(account="cash").amount == -20
    assert fake.balance() == 2000
    check_books()


def test_nothing_is_credited_before_stripe_says_so(fake: FakeStripe) -> None:
    organization = new_payer()
    url = page_of(organization)
    run(fake)
    assert account_of(organization).balance == 0
    card = fake.new_card("waits")
    fake.pay_page(url, card)
    run(fake)
    assert account_of(organization).balance == 0
    fake.settle_waiting()
    run(fake)
    assert account_of(organization).balance == 20


def test_a_page_that_nobody_filled_in_expires(fake: FakeStripe) -> None:
    organization = new_payer()
    fake.expire_page(page_of(organization))
    run(fake)
    assert StripePayment.objects.get().state == "expired"
    assert not LedgerTransaction.objects.filter(organization=organization).exists()


def test_a_declined_card_may_be_followed_by_another_on_the_same_page(fake: FakeStripe) -> None:
    organization = new_payer()
    url = page_of(organization)
    fake.pay_page(url, fake.new_card("card_declined"))
    run(fake)
    assert StripePayment.objects.get().state == "pending"
    fake.pay_page(url)
    run(fake)
    assert account_of(organization).balance == 20


@pytest.mark.parametrize("amount", ["0.01", "4.99", "10000.01", "20.001", "-20"])
def test_an_amount_that_cannot_be_is_refused_by_name(fake: FakeStripe, amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        checkout.top_up(organization=new_payer(), amount=Decimal(amount), save_card=False, **PAGES)
    assert not StripeCall.objects.exists()
    assert not StripePayment.objects.exists()


@pytest.mark.parametrize("fault", ["lost before", "lost after", "409", "429"])
def test_a_page_that_did_not_open_charges_nothing_and_is_made_once(fake: FakeStripe, fault: Fault) -> None:
    organization = new_payer()
    top_up(fake, organization)
    fake.faults.append(fault)
    with pytest.raises(StripeUnavailable):
        page_of(organization)
    let_pass(fake, soon())
    sending.send_due()
    assert len(fake.store.all("checkout.session")) == 2
    assert not StripeCall.objects.exclude(state="sent").exists()
    assert fake.balance() == 2000


@pytest.mark.parametrize("fault", ["lost after", "500 after", "500 before", "lost before"])
def test_after_stripe_forgot_the_key_it_is_asked_before_anything_is_made_again(
    fake: FakeStripe, fault: Fault
) -> None:
    organization = new_payer()
    fake.faults.extend([fault, fault])
    with pytest.raises(StripeUnavailable):
        page_of(organization)
    let_pass(fake, DAY_AND_MORE)
    sending.send_due()
    let_pass(fake, DAY_AND_MORE)
    sending.send_due()
    assert len(fake.store.all("customer")) == 1
    assert len(fake.store.all("checkout.session")) == 1
    assert StripeCall.objects.filter(state="sent").count() == 2


def test_a_payment_by_a_second_page_of_the_same_top_up_is_credited_too(fake: FakeStripe) -> None:
    """It cannot happen by our doing; if it does by Stripe's, the customer's money is not lost."""
    organization = new_payer()
    top_up(fake, organization)
    (session,) = fake.store.all("checkout.session")
    session |= {"status": "open", "payment_intent": None}
    fake.pay_page(session["url"])
    run(fake)
    assert account_of(organization).balance == 40
    assert StripePayment.objects.filter(state="paid").count() == 2
    check_books()


def test_a_card_is_saved_with_a_payment_or_by_itself_and_forgotten(fake: FakeStripe) -> None:
    organization = new_payer()
    card = fake.new_card()
    fake.pay_page(page_of(organization, save_card=True), card)
    run(fake)
    customer = StripeCustomer.objects.get()
    assert (customer.payment_method, customer.card_brand, customer.card_last_four) == (card["id"], "visa", "4242")
    assert customer.card_expires == "04/2031"
    other = save_card(fake, organization)
    other["customer"] = None
    fake.store.tell("payment_method.detached", other)
    run(fake)
    assert StripeCustomer.objects.get().payment_method == ""


def test_a_payment_that_is_not_of_ours_is_left_alone(fake: FakeStripe) -> None:
    with fake.lock:
        intent = fake.store.add("payment_intent", status="succeeded", metadata={"payment": "what?"})
        fake.store.tell("payment_intent.succeeded", intent)
    run(fake)
    assert not StripePayment.objects.exists()


def test_a_payment_in_another_currency_is_for_a_person(fake: FakeStripe) -> None:
    organization = new_payer()
    fake.pay_page(page_of(organization))
    fake.store.all("payment_intent")[0]["currency"] = "eur"
    run(fake)
    assert account_of(organization).balance == 0
    assert set(StripeEvent.objects.values_list("state", "error")) == {("pending", "ValueError")}
