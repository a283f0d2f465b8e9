"""The billing page: paying on Stripe's page, codes, invoices as documents, and every kind of movement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pymupdf
import pytest
from django.urls import reverse

from billing import promotions
from billing.audit import Operator
from billing.invoices import credit_notes, issuing, payments
from billing.models import Account, Invoice, StripeCall, StripePayment
from billing.stripe import recharge
from tests.billing.books import account_of
from tests.billing.invoices import months_of_use
from tests.billing.stripe.world import KEY, SECRET, run
from tests.console.people import Office, browser, office
from tests.fakes.stripe_server import FakeStripe, serve

pytestmark = pytest.mark.django_db
OPERATOR = Operator(actor="ops@example.com", reason="asked for it")


@pytest.fixture
def acme() -> Office:
    return office("Acme")


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeStripe]:
    stripe = FakeStripe(key=KEY, webhook_secret=SECRET)
    with serve(stripe) as address:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
        settings.STRIPE_API_BASE = address
        yield stripe


def invoiced(of: Office) -> Invoice:
    """An issued invoice of an hour."""
    Account.objects.filter(organization=of.organization).update(credit_limit=100)
    months_of_use.use(of.organization, 3_600_000)
    return months_of_use.issue(of.organization)


def path(of: Office, name: str, **ids: Any) -> str:
    return reverse(name, kwargs={"organization": of.organization.id, **ids})


def test_a_top_up_is_paid_on_stripes_page_and_is_there_when_stripe_says_so(acme: Office, fake: FakeStripe) -> None:
    client = browser(acme.owner)
    shown = client.get(path(acme, "billing"))
    assert "form-action 'self' https://checkout.stripe.com" in shown.headers["content-security-policy"]
    answer = client.post(path(acme, "top_up"), {"amount": "25.50"})
    assert answer.status_code == 302
    session = fake.store.all("checkout.session")[0]
    assert answer.headers["location"] == session["url"]
    back = StripeCall.objects.get(operation="checkout.create").parameters["success_url"]
    assert back == f"http://127.0.0.1:8000{path(acme, 'billing')}?paid=1"
    before = account_of(acme.organization).balance
    assert "when Stripe confirms the payment" in client.get(back).content.decode()
    assert account_of(acme.organization).balance == before
    fake.pay_page(session["url"])
    run(fake)
    assert account_of(acme.organization).balance == before + Decimal("25.50")


@pytest.mark.parametrize("amount", ["4.99", "10000.01", "7.005", "-5", "ten", ""])
def test_an_amount_that_cannot_be_charged_is_refused_by_name(acme: Office, fake: FakeStripe, amount: str) -> None:
    answer = browser(acme.owner).post(path(acme, "top_up"), {"amount": amount})
    assert answer.status_code == 400
    assert answer.context["top_up"].errors["amount"]
    assert not StripePayment.objects.exists()


def test_while_stripe_is_away_nothing_is_charged(acme: Office, fake: FakeStripe) -> None:
    fake.faults.extend(["500 before"] * 2)
    answer = browser(acme.owner).post(path(acme, "top_up"), {"amount": "20"}, follow=True)
    assert "You were not charged" in answer.content.decode()


def test_without_stripe_there_is_no_top_up(acme: Office) -> None:
    client = browser(acme.owner)
    assert "Contact the operator of this service" in client.get(path(acme, "billing")).content.decode()
    assert client.post(path(acme, "top_up"), {"amount": "20"}).status_code == 404


def test_a_code_is_redeemed_once(acme: Office) -> None:
    promotions.create(code="WELCOME", amount=Decimal(5), max_redemptions=10)
    client = browser(acme.owner)
    before = account_of(acme.organization).promotional
    assert client.post(path(acme, "redeem"), {"code": "welcome"}).status_code == 302
    again = client.post(path(acme, "redeem"), {"code": "WELCOME"})
    unknown = client.post(path(acme, "redeem"), {"code": "NOSUCH"})
    assert "already redeemed" in again.context["promotion"].errors["code"][0]
    assert "does not exist" in unknown.context["promotion"].errors["code"][0]
    assert account_of(acme.organization).promotional == before + 5


RECHARGE = {"threshold": "10", "amount": "25", "monthly_ceiling": "100"}


def test_a_saved_card_is_charged_below_the_threshold_until_it_is_turned_off(
    acme: Office, fake: FakeStripe
) -> None:
    client = browser(acme.owner)
    refused = client.post(path(acme, "recharge"), RECHARGE)
    assert "Save a card first" in refused.content.decode()
    page = client.post(path(acme, "save_card")).headers["location"]
    fake.pay_page(page, fake.new_card("pays"))
    run(fake)
    assert "ending in 4242" in client.get(path(acme, "payment")).content.decode()
    assert client.post(path(acme, "recharge"), RECHARGE).status_code == 302
    assert "On. " in client.get(path(acme, "payment")).content.decode()
    before = account_of(acme.organization).balance
    recharge.run_due()
    run(fake)
    assert account_of(acme.organization).balance == before + 25
    client.post(path(acme, "recharge_stop"))
    assert "turned off" in client.get(path(acme, "payment")).content.decode()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount": "4"}, "amount"),
        ({"monthly_ceiling": "24"}, "monthly_ceiling"),
        ({"threshold": "-1"}, "threshold"),
    ],
)
def test_an_order_that_makes_no_sense_names_its_field(
    acme: Office, fake: FakeStripe, changed: dict[str, str], field: str
) -> None:
    answer = browser(acme.owner).post(path(acme, "recharge"), RECHARGE | changed)
    assert (answer.status_code, field in answer.context["recharge_form"].errors) == (400, True)


def test_what_stands_on_the_next_invoice(acme: Office) -> None:
    client = browser(acme.owner)
    given = {"legal_name": "Acme GmbH", "city": "Berlin", "country": "DE", "tax_ids": "EU VAT DE1; US EIN 2"}
    assert client.post(path(acme, "details"), given).status_code == 302
    assert "EU VAT DE1; US EIN 2" in client.get(path(acme, "payment")).content.decode()
    customer = invoiced(acme).customer
    assert (customer["name"], customer["tax_ids"]) == ("Acme GmbH", ["EU VAT DE1", "US EIN 2"])
    wrong = client.post(path(acme, "details"), given | {"country": "Germany", "email": "nobody"})
    assert wrong.status_code == 400
    assert {"country", "email"} <= set(wrong.context["details_form"].errors)


@pytest.mark.parametrize("role", ["owner", "admin", "billing", "developer", "viewer"])
def test_who_sees_the_billing_has_its_documents(acme: Office, role: str) -> None:
    invoice = invoiced(acme)
    user = acme.owner if role == "owner" else acme.join(f"{role}@acme.example", role)
    client = browser(user)
    answers = {
        kind: client.get(path(acme, "invoice", invoice_id=invoice.pk, kind=kind)) for kind in ("pdf", "csv")
    }
    if role in ("developer", "viewer"):
        assert {answer.status_code for answer in answers.values()} == {403}
        return
    with pymupdf.open(stream=answers["pdf"].content) as document:
        assert str(invoice.number) in document[0].get_text()
    assert answers["csv"].headers["content-disposition"] == f'attachment; filename="{invoice.number}.csv"'
    told = client.get(path(acme, "invoice", invoice_id=invoice.pk, kind="json"))
    assert json.loads(told.content)["number"] == invoice.number
    assert client.get(path(acme, "invoice", invoice_id=invoice.pk, kind="exe")).status_code == 404
    assert str(invoice.number) in client.get(path(acme, "billing")).content.decode()


def test_a_draft_and_anothers_invoice_are_not_there(acme: Office) -> None:
    other = office("Other")
    theirs = invoiced(other)
    Account.objects.filter(organization=acme.organization).update(credit_limit=100)
    months_of_use.use(acme.organization, 60_000)
    draft = months_of_use.close(acme.organization)
    client = browser(acme.owner)
    for invoice in (theirs, draft):
        assert client.get(path(acme, "invoice", invoice_id=invoice.pk, kind="pdf")).status_code == 404


def test_every_kind_of_movement_has_a_name(acme: Office) -> None:
    invoice = invoiced(acme)
    paid = payments.record(invoice_id=invoice.pk, amount=invoice.total + 7, cause="wire")
    credit_notes.issue(invoice_id=invoice.pk, net=Decimal(1), cause="late", reason="an outage", operator=OPERATOR)
    payments.contest(payment=paid, amount=invoice.total + 7, cause="dispute")
    payments.write_off(invoice_id=invoice.pk, operator=OPERATOR)
    months_of_use.use(acme.organization, 18_000_000, at=months_of_use.NOVEMBER.start)
    later = months_of_use.issue(acme.organization, months_of_use.NOVEMBER, now=months_of_use.NOVEMBER.end)
    issuing.void(invoice_id=later.pk, operator=OPERATOR)
    shown = browser(acme.owner).get(path(acme, "billing"))
    names = {movement.name for movement in shown.context["movements"]}
    assert {"Invoice", "Paid beyond an invoice", "Credit note", "Taken back by the bank", "Correction"} <= names
