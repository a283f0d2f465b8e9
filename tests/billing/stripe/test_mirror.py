"""What is issued here is shown at Stripe, and what is paid there is paid here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Organization
from billing.audit import Operator
from billing.invoices import credit_notes, details, issuing, monthly, payments, tax
from billing.models import Invoice, StripeCall
from billing.stripe import mirror, reconciliation
from billing.stripe.tax import calculate
from tests.billing.books import account_of, check_books
from tests.billing.invoices.months_of_use import NOW, OCTOBER, customer, issue, use
from tests.billing.stripe.world import let_pass, run, soon
from tests.fakes.stripe.store import Thing
from tests.fakes.stripe_server import FakeStripe, Fault

pytestmark = pytest.mark.django_db
OPERATOR = Operator(actor="ops@example.com", reason="asked for it")
AN_HOUR_MS = 3_600_000


@pytest.fixture
def acme() -> Organization:
    return customer(
        given="1",
        limit="1000",
        legal_name="Acme Inc.",
        line1="1 Main St",
        city="Berlin",
        country="DE",
        tax_percent="19",
    )


def shown(fake: FakeStripe) -> Thing:
    mirror.show_all()
    run(fake)
    (theirs,) = fake.store.all("invoice")
    return theirs


def test_a_months_bill_is_shown_line_by_line_with_our_number_and_tax(fake: FakeStripe, acme: Organization) -> None:
    use(acme, AN_HOUR_MS)
    use(acme, 7, requests=333, voice="nova")
    use(acme, 61_001, given=True, voice="echo")
    invoice = issue(acme)
    theirs = shown(fake)
    assert (theirs["number"], theirs["status"]) == (invoice.number, "open")
    assert theirs["total"] == invoice.total * 100
    assert theirs["subtotal"] == invoice.net * 100
    assert [line["amount"] for line in theirs["lines"]["data"]] == [
        *(line.amount * 100 for line in invoice.lines.order_by("position")),
        -invoice.promotional * 100,
    ]
    address = fake.store.get("customer", theirs["customer"])["address"]
    assert (address["city"], address["country"]) == ("Berlin", "DE")
    mirror.show_all()
    run(fake)
    assert len(fake.store.all("invoice")) == 1


def test_what_is_paid_at_stripe_pays_our_invoice(fake: FakeStripe, acme: Organization) -> None:
    use(acme, AN_HOUR_MS)
    invoice = issue(acme)
    fake.pay_invoice(shown(fake)["id"])
    run(fake)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.left) == ("paid", 0)
    mirror.show_all()
    run(fake)
    assert not StripeCall.objects.filter(operation="invoice.pay").exists()
    assert reconciliation.run(since=NOW, until=NOW) == []
    check_books()


@pytest.mark.parametrize("fault", ["none", "lost after", "429"])
def test_a_transfer_and_a_void_are_told_once(fake: FakeStripe, fault: Fault) -> None:
    paid, void = (customer(name=name, limit="1000") for name in ("Paid", "Void"))
    for organization in (paid, void):
        use(organization, AN_HOUR_MS)
    invoices = issue(paid), issue(void)
    mirror.show_all()
    run(fake)
    payments.record(invoice_id=invoices[0].pk, amount=invoices[0].total, cause="wire")
    issuing.void(invoice_id=invoices[1].pk, operator=OPERATOR)
    fake.faults.append(fault)
    for _ in range(2):
        mirror.show_all()
        run(fake)
    StripeCall.objects.update(next_try_at=NOW)
    run(fake)
    states = {theirs["number"]: theirs["status"] for theirs in fake.store.all("invoice")}
    assert states == {invoices[0].number: "paid", invoices[1].number: "void"}
    check_books()


def test_a_credit_note_lowers_what_stripe_asks_for(fake: FakeStripe, acme: Organization) -> None:
    use(acme, AN_HOUR_MS)
    invoice = issue(acme)
    shown(fake)
    credit_notes.issue(
        invoice_id=invoice.pk, net=Decimal("1.00"), cause="ticket-1", reason="an outage", operator=OPERATOR
    )
    for _ in range(2):
        theirs = shown(fake)
    invoice.refresh_from_db()
    assert theirs["amount_due"] == invoice.left * 100 == 202
    assert len(fake.store.all("credit_note")) == 1
    fake.pay_invoice(theirs["id"])
    run(fake)
    invoice.refresh_from_db()
    assert (invoice.state, account_of(acme).balance) == ("paid", 1)
    check_books()


def test_what_was_partly_paid_before_stripe_knew_stays_ours(fake: FakeStripe, acme: Organization) -> None:
    use(acme, AN_HOUR_MS)
    payments.record(invoice_id=issue(acme).pk, amount=Decimal(1), cause="wire")
    mirror.show_all()
    assert not StripeCall.objects.exists()


def test_stripe_tax_is_on_our_invoice_and_on_theirs(
    fake: FakeStripe, acme: Organization, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STRIPE_TAX = True
    monkeypatch.setattr(tax, "found_by_service", calculate)
    use(acme, AN_HOUR_MS)
    invoice = issue(acme)
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("2.70"), Decimal("0.51"), Decimal("3.21"))
    assert shown(fake)["total"] == 321
    assert reconciliation.run(since=NOW, until=NOW) == []


def test_one_whose_tax_is_not_known_stays_a_draft_and_stops_no_other(
    fake: FakeStripe, acme: Organization, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STRIPE_TAX = True
    monkeypatch.setattr(tax, "found_by_service", calculate)
    nowhere = customer(name="Nowhere", limit="1000")
    for organization in (acme, nowhere):
        use(organization, AN_HOUR_MS)
    assert monthly.run(now=OCTOBER.end) == 1
    draft = Invoice.objects.get(organization=nowhere)
    assert (draft.state, draft.number) == ("draft", None)
    details.put(organization=nowhere, country="FR")
    fake.faults.append("429")
    assert monthly.run(now=OCTOBER.end) == 0
    let_pass(fake, soon())
    assert monthly.run(now=OCTOBER.end) == 1
    assert Invoice.objects.get(organization=nowhere).tax == Decimal("0.51")
