"""What differs from Stripe's books is found, stays on record, and is resolved once it agrees."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing import ledger
from billing.models import StripeBalanceTransaction, StripeCall, StripeDifference, StripeInvoice, StripePayment
from billing.stripe import invoices, reconciliation, refunds
from billing.stripe.invoices import StripeLine
from tests.billing.books import OPERATOR, account_of, new_organization
from tests.billing.stripe.world import invoice_of, new_payer, page_of, run, top_up
from tests.fakes.stripe_server import FakeStripe

pytestmark = pytest.mark.django_db


def look() -> list[tuple[str, str, Decimal, Decimal]]:
    found = reconciliation.run(until=timezone.now() + timedelta(minutes=1))
    return [(difference.kind, difference.subject, difference.ours, difference.theirs) for difference in found]


def busy(fake: FakeStripe) -> StripePayment:
    """A little of everything."""
    payment = top_up(fake, new_payer())
    refunds.request(payment=payment, amount=Decimal(3), cause="c", operator=OPERATOR)
    run(fake)
    for won in (True, False):
        dispute = fake.dispute(fake.store.get("payment_intent", str(top_up(fake, new_payer()).payment_intent)))
        assert dispute
        fake.decide(dispute, won=won)
    failed = refunds.request(payment=top_up(fake, new_payer()), amount=Decimal(2), cause="d", operator=OPERATOR)
    run(fake)
    failed.refresh_from_db()
    fake.fail_refund(fake.store.get("refund", str(failed.stripe_id)))
    invoices.issue(
        invoice=invoice_of(new_payer(), "5.55"), lines=[StripeLine(description="d", amount=Decimal("5.55"))]
    )
    run(fake)
    fake.pay_invoice(fake.store.all("invoice")[0]["id"])
    run(fake)
    return payment


def test_where_all_agrees_nothing_is_found_and_fees_are_copied(fake: FakeStripe) -> None:
    busy(fake)
    fake.store.move("payout", -100, "po_1")
    fake.store.move("stripe_fee", -7, "fee_1")
    assert look() == []
    assert sum(line.fee for line in StripeBalanceTransaction.objects.all()) == Decimal("31.50")
    call_command("stripe", "reconcile")


def test_an_event_that_never_came_is_caught_up_with(fake: FakeStripe) -> None:
    organization = new_payer()
    fake.pay_page(page_of(organization))
    fake.store.undelivered.clear()
    assert look() == []
    assert account_of(organization).balance == 20


def test_each_difference_is_found_and_resolved(fake: FakeStripe) -> None:
    payment = busy(fake)
    intent = fake.store.get("payment_intent", str(payment.payment_intent))
    (line,) = [m for m in fake.store.all("balance_transaction") if m["source"] == intent["latest_charge"]]
    line["amount"] += 1
    stray = fake.store.move("charge", 700, fake.store.add("charge", payment_intent="pi_stray")["id"])
    invoice = fake.store.all("invoice")[0]
    invoice["total"] += 1
    ours = StripeInvoice.objects.get()
    refund = next(refund for refund in fake.store.all("refund") if refund["amount"] == 300)
    (returned,) = [m for m in fake.store.all("balance_transaction") if m["source"] == refund["id"]]
    for gone in (refund, returned):
        del fake.store.things[gone["id"]]
    key = StripeCall.objects.get(stripe_id=refund["id"]).key
    expected = [
        ("amount", intent["id"], Decimal(20), Decimal("20.01")),
        ("call", key, Decimal(3), Decimal(0)),
        ("invoice", str(ours.invoice_id), Decimal("5.55"), Decimal("5.56")),
        ("not_at_stripe", refund["id"], Decimal(-3), Decimal(0)),
        ("not_booked", "pi_stray", Decimal(0), Decimal(7)),
    ]
    StripeBalanceTransaction.objects.all().delete()
    assert look() == expected
    assert look() == expected
    assert StripeDifference.objects.count() == len(expected)
    line["amount"] -= 1
    del fake.store.things[stray["id"]]
    invoice["total"] -= 1
    fake.store.things |= {refund["id"]: refund, returned["id"]: returned}
    StripeBalanceTransaction.objects.all().delete()
    assert look() == []
    assert StripeDifference.objects.filter(state="resolved").count() == len(expected)


def test_credit_that_stripe_knows_nothing_of_is_found(fake: FakeStripe) -> None:
    organization = new_organization()
    movement = ledger.top_up(organization=organization, amount=Decimal(9), cause="stripe:pi_invented")
    StripePayment.objects.create(
        organization=organization,
        purpose="top_up",
        amount=9,
        state="paid",
        payment_intent="pi_invented",
        movement=movement,
    )
    assert look() == [("not_at_stripe", "pi_invented", Decimal(9), Decimal(0))]


def test_what_is_just_on_its_way_is_no_difference(fake: FakeStripe) -> None:
    fake.store.move("charge", 700, fake.store.add("charge", payment_intent="pi_new")["id"])
    assert reconciliation.run() == []
    fake.age(timedelta(hours=2))
    StripeBalanceTransaction.objects.all().delete()
    with pytest.raises(CommandError, match="1 difference"):
        call_command("stripe", "reconcile")
