"""Our invoices at Stripe: the same lines and the same total, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.identifiers import new_id
from accounts.models import Organization
from billing.models import Invoice, LedgerEntry, StripeCall, StripeInvoice, StripePayment
from billing.stripe import invoices, sending
from billing.stripe.invoices import StripeLine, StripeTax
from tests.billing.books import account_of, check_books
from tests.billing.stripe.world import DAY_AND_MORE, invoice_of, let_pass, new_payer, run, soon
from tests.fakes.stripe.store import Thing
from tests.fakes.stripe_server import FakeStripe, Fault

pytestmark = pytest.mark.django_db

PRICE = Decimal("0.045")
AUDIO = StripeLine(
    description="higgs-audio, alloy", seconds=Decimal("7401.234"), dollars_per_minute=PRICE, amount=Decimal("5.55")
)


def issue(organization: Organization, *lines: StripeLine, tax: StripeTax | None = None) -> Invoice:
    asked = sum((line.amount + line.tax for line in lines), Decimal(0))
    invoice = invoice_of(organization, f"{max(asked, Decimal(0))}")
    for _ in range(2):  # a repeat changes nothing
        invoices.issue(invoice=invoice, lines=lines, tax=tax)
    return invoice


def at_stripe(fake: FakeStripe) -> Thing:
    (invoice,) = fake.store.all("invoice")
    return invoice


def receivable() -> Decimal:
    ours = StripeInvoice.objects.values("invoice__organization")
    entries = LedgerEntry.objects.filter(account="receivable", transaction__organization__in=ours)
    return sum(entries.values_list("amount", flat=True), Decimal(0))


def test_a_line_is_seconds_times_cents_a_second(fake: FakeStripe) -> None:
    invoice = issue(new_payer(), AUDIO)
    run(fake)
    theirs = at_stripe(fake)
    assert (theirs["status"], theirs["total"], theirs["number"]) == ("open", 555, invoice.number)
    (line,) = theirs["lines"]["data"]
    assert (line["quantity_decimal"], line["unit_amount_decimal"], line["amount"]) == ("7401.234", "0.075", 555)
    ours = StripeInvoice.objects.get(invoice=invoice)
    assert (ours.status, ours.total, ours.url) == ("open", Decimal("5.55"), theirs["hosted_invoice_url"])
    assert [call.state for call in StripeCall.objects.all()] == ["sent"] * 5


def test_where_stripe_rounds_another_way_a_line_says_so(fake: FakeStripe) -> None:
    half = StripeLine(
        description="half a cent", seconds=Decimal("6.667"), dollars_per_minute=PRICE, amount=Decimal("0.50")
    )
    even = StripeLine(description="even", seconds=Decimal(60), dollars_per_minute=PRICE, amount=Decimal("0.04"))
    issue(new_payer(), half, even)
    run(fake)
    lines = at_stripe(fake)["lines"]["data"]
    assert [line["amount"] for line in lines] == [1, 5, 48]
    assert at_stripe(fake)["total"] == 54


def test_a_price_that_no_second_divides_is_shown_as_its_amount(fake: FakeStripe) -> None:
    issue(
        new_payer(),
        StripeLine(
            description="d", seconds=Decimal(1), dollars_per_minute=Decimal("0.05"), amount=Decimal("0.60")
        ),
    )
    run(fake)
    assert at_stripe(fake)["total"] == 60


def test_credit_that_is_applied_lowers_the_total_and_zero_is_paid(fake: FakeStripe) -> None:
    invoice = issue(new_payer(), AUDIO, StripeLine(description="Credit applied", amount=Decimal("-5.55")))
    run(fake)
    assert (at_stripe(fake)["total"], at_stripe(fake)["status"]) == (0, "paid")
    assert StripeInvoice.objects.get(invoice=invoice).status == "paid"
    assert receivable() == 0


def test_tax_at_our_own_rate_is_on_the_lines(fake: FakeStripe) -> None:
    taxed = StripeLine(**{**{name: getattr(AUDIO, name) for name in AUDIO.__slots__}, "tax": Decimal("1.05")})
    issue(new_payer(), taxed, tax=StripeTax(name="VAT", percentage=Decimal("19")))
    run(fake)
    assert (at_stripe(fake)["subtotal"], at_stripe(fake)["total"]) == (555, 660)


def test_more_lines_than_stripe_takes_are_folded_to_the_same_total(fake: FakeStripe) -> None:
    many = [
        StripeLine(
            description=f"voice {n}",
            seconds=Decimal(n) + Decimal("0.007"),
            dollars_per_minute=PRICE if n % 2 else Decimal("0.03"),
            amount=Decimal("0.01") * n,
        )
        for n in range(1, 1001)
    ]
    issue(new_payer(), *many, StripeLine(description="Credit applied", amount=Decimal("-1.00")))
    run(fake)
    theirs = at_stripe(fake)
    assert theirs["subtotal"] == sum(range(1, 1001)) - 100
    assert len(theirs["lines"]["data"]) == 4
    quantities = [Decimal(line["quantity_decimal"]) for line in theirs["lines"]["data"]]
    assert sum(quantities[:2]) == sum(line.seconds or 0 for line in many)
    prices = [
        StripeLine(description="d", seconds=Decimal(1), dollars_per_minute=Decimal(n), amount=Decimal(n))
        for n in range(300)
    ]
    (one,) = invoices.fold(prices)
    assert one.amount == sum(range(300))


@pytest.mark.parametrize("fault", ["lost after", "lost before", "500 after", "500 before", "409", "429"])
@pytest.mark.parametrize("step", range(4))
def test_whatever_happens_to_a_request_there_is_one_invoice(fake: FakeStripe, fault: Fault, step: int) -> None:
    issue(new_payer(), AUDIO, StripeLine(description="more", amount=Decimal("0.45")))
    fake.faults.extend([*["none"] * step, fault])  # type: ignore[list-item]
    for wait in (soon(), DAY_AND_MORE, DAY_AND_MORE, DAY_AND_MORE):
        sending.send_due()
        let_pass(fake, wait)
    run(fake)
    assert (at_stripe(fake)["total"], at_stripe(fake)["status"]) == (600, "open")
    assert not StripeCall.objects.exclude(state="sent").exists()


def test_what_stripe_received_for_an_invoice_is_booked_once(fake: FakeStripe) -> None:
    invoice = issue(new_payer(), AUDIO)
    run(fake)
    fake.pay_invoice(at_stripe(fake)["id"])
    told = list(fake.store.undelivered)
    run(fake)
    fake.store.undelivered = told
    run(fake)
    assert StripeInvoice.objects.get(invoice=invoice).status == "paid"
    payment = StripePayment.objects.get()
    assert (payment.purpose, payment.state, payment.amount) == ("invoice", "paid", Decimal("5.55"))
    invoice.refresh_from_db()
    assert (invoice.state, receivable()) == ("paid", 0)
    assert fake.balance() == 555
    check_books()


def test_a_dispute_of_a_paid_invoice_makes_it_owed_again(fake: FakeStripe) -> None:
    invoice = issue(new_payer(), AUDIO)
    run(fake)
    dispute = fake.dispute(fake.pay_invoice(at_stripe(fake)["id"]))
    assert dispute
    fake.store.undelivered.reverse()
    run(fake)
    invoice.refresh_from_db()
    assert (invoice.state, receivable()) == ("open", Decimal("-5.55"))
    check_books()
    fake.decide(dispute, won=True)
    run(fake)
    invoice.refresh_from_db()
    assert (invoice.state, receivable()) == ("paid", 0)
    check_books()


def test_an_invoice_that_was_paid_elsewhere_or_taken_back_is_so_at_stripe(fake: FakeStripe) -> None:
    paid, taken = issue(new_payer(), AUDIO), issue(new_payer(), AUDIO)
    invoices.mark_paid(invoice_id=paid.pk)
    invoices.void(invoice_id=taken.pk)
    run(fake)
    assert dict(StripeInvoice.objects.values_list("invoice_id", "status")) == {paid.pk: "paid", taken.pk: "void"}
    assert {theirs["number"]: theirs["status"] for theirs in fake.store.all("invoice")} == {
        paid.number: "paid",
        taken.number: "void",
    }
    assert not StripePayment.objects.exists()


@pytest.mark.parametrize("fault", ["lost after", "429"])
def test_a_credit_note_lowers_what_is_owed_once(fake: FakeStripe, fault: Fault) -> None:
    invoice = issue(new_payer(), AUDIO)
    run(fake)
    note = new_id()
    fake.faults.append(fault)
    for _ in range(2):
        invoices.credit(invoice_id=invoice.pk, credit_note_id=note, amount=Decimal("1.55"), memo="late")
    sending.send_due()
    let_pass(fake, DAY_AND_MORE)
    run(fake)
    assert at_stripe(fake)["amount_due"] == 400
    assert len(fake.store.all("credit_note")) == 1
    with pytest.raises(ValueError, match="amount"):
        invoices.credit(invoice_id=invoice.pk, credit_note_id=new_id(), amount=Decimal("4.01"), memo="more")


def test_a_credit_note_of_a_paid_invoice_goes_back_to_the_card(fake: FakeStripe) -> None:
    invoice = issue(new_payer(), AUDIO)
    run(fake)
    fake.pay_invoice(at_stripe(fake)["id"])
    run(fake)
    invoices.credit(
        invoice_id=invoice.pk, credit_note_id=new_id(), amount=Decimal("1.55"), memo="late", to_card=True
    )
    run(fake)
    assert (receivable(), account_of(invoice.organization).balance) == (0, Decimal("-1.55"))
    assert fake.balance() == 400
    check_books()


def test_an_invoice_that_stripe_could_not_take_is_refused_by_name(fake: FakeStripe) -> None:
    below = StripeLine(description="Credit applied", amount=Decimal("-0.01"))
    fraction = StripeLine(description="d", amount=Decimal("0.015"))
    for lines in ([], [below], [fraction]):
        with pytest.raises(ValueError, match=r"lines|amount"):
            issue(new_payer(), *lines)
    assert not StripeCall.objects.exists()
