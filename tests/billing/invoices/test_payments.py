"""Money that is received is booked, whatever state its invoice is in, and each payment once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing import ledger
from billing.booking import CauseTaken
from billing.invoices import issuing, payments
from billing.models import Invoice, LedgerEntry, OperatorAct
from tests.billing.books import OPERATOR, account_of, check_books
from tests.billing.invoices.months_of_use import NOW, close, customer, issue, use
from webhooks import endpoints
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db

OWED = Decimal("10.80")
CENT = Decimal("0.01")


@pytest.fixture
def invoice() -> Invoice:
    """$9.00 and 20 % tax."""
    organization = customer(limit="100", tax_percent=Decimal(20))
    use(organization, 12_000_000)
    return issue(organization)


def now(invoice: Invoice) -> tuple[str, Decimal]:
    invoice.refresh_from_db()
    return invoice.state, invoice.left


def balance(account: str) -> Decimal:
    return sum((leg.amount for leg in LedgerEntry.objects.filter(account=account)), Decimal(0))


def test_an_invoice_is_paid_when_all_of_it_is(invoice: Invoice) -> None:
    payments.record(invoice_id=invoice.pk, amount=Decimal("4.30"), cause="wire 1", operator=OPERATOR)
    assert now(invoice) == ("open", Decimal("6.50"))
    payments.record(invoice_id=invoice.pk, amount=Decimal("6.50"), cause="wire 2", now=NOW)
    assert now(invoice) == ("paid", 0)
    assert invoice.ended_at == NOW
    assert (balance("receivable"), balance("cash")) == (0, -OWED)
    assert OperatorAct.objects.count() == 1
    check_books()


def test_webhooks_are_told_of_an_invoice_and_of_its_payment() -> None:
    organization = customer(limit="100")
    endpoints.add(organization=organization, url="https://hooks.example.com/")
    use(organization, 12_000_000)
    issued = issue(organization)
    for _ in range(2):
        payments.record(invoice_id=issued.pk, amount=issued.total, cause="bank:1")
    told = Delivery.objects.filter(organization=organization).order_by("created_at")
    assert [each.kind for each in told] == ["invoice.issued", "invoice.paid"]
    assert [each.data["invoice"]["number"] for each in told] == [issued.number] * 2
    assert [each.data["invoice"]["status"] for each in told] == ["open", "paid"]
    assert told[1].data["invoice"]["paid"] == f"{issued.total:.2f}"


def test_a_repeat_of_the_cause_books_nothing(invoice: Invoice) -> None:
    first = payments.record(invoice_id=invoice.pk, amount=Decimal("4.30"), cause="wire")
    assert payments.record(invoice_id=invoice.pk, amount=Decimal("4.30"), cause="wire") == first
    assert now(invoice) == ("open", Decimal("6.50"))
    other = customer(limit="100")
    use(other, 12_000_000)
    with pytest.raises(CauseTaken):
        payments.record(invoice_id=issue(other).pk, amount=Decimal("4.30"), cause="wire")


def test_what_is_paid_too_much_becomes_credit(invoice: Invoice) -> None:
    payments.record(invoice_id=invoice.pk, amount=OWED + 5, cause="wire")
    payments.record(invoice_id=invoice.pk, amount=OWED, cause="the same by card")
    assert now(invoice) == ("paid", 0)
    assert account_of(invoice.organization).balance == OWED + 5
    check_books()


def test_money_for_a_voided_invoice_is_the_customers(invoice: Invoice) -> None:
    issuing.void(invoice_id=invoice.pk, operator=OPERATOR)
    before = account_of(invoice.organization).balance
    payments.record(invoice_id=invoice.pk, amount=OWED, cause="wire")
    assert now(invoice)[0] == "void"
    assert account_of(invoice.organization).balance == before + OWED
    check_books()


def test_a_payment_that_is_taken_back_opens_the_invoice_again(invoice: Invoice) -> None:
    paid = payments.record(invoice_id=invoice.pk, amount=OWED + 1, cause="wire")
    ledger.pay_out(organization=invoice.organization, amount=Decimal(1), cause="too much")
    back = payments.take_back(payment=paid, cause="bounced", operator=OPERATOR)
    assert payments.take_back(payment=paid, cause="bounced") == back
    assert now(invoice) == ("open", OWED)
    assert account_of(invoice.organization).balance == -1
    with pytest.raises(ValueError, match="went back before"):
        payments.take_back(payment=paid, cause="bounced again")
    with pytest.raises(ValueError, match="is none"):
        payments.take_back(payment=back, cause="bounced forwards")
    check_books()


def test_what_is_written_off_may_still_be_paid(invoice: Invoice) -> None:
    payments.record(invoice_id=invoice.pk, amount=Decimal(4), cause="a part")
    payments.write_off(invoice_id=invoice.pk, now=NOW, operator=OPERATOR)
    assert payments.write_off(invoice_id=invoice.pk, operator=OPERATOR).ended_at == NOW
    assert now(invoice) == ("uncollectible", Decimal("6.80"))
    assert (balance("receivable"), balance("bad_debt")) == (0, Decimal("-6.80"))
    check_books()
    late = payments.record(invoice_id=invoice.pk, amount=Decimal("6.80"), cause="the rest")
    assert now(invoice) == ("paid", 0)
    assert (balance("receivable"), balance("bad_debt")) == (0, 0)
    check_books()
    payments.take_back(payment=late, cause="bounced")
    assert now(invoice) == ("uncollectible", Decimal("6.80"))
    check_books()


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_an_amount_that_cannot_be_received_is_refused(invoice: Invoice, amount: str) -> None:
    with pytest.raises(ValueError, match="amount: must be above zero, in whole cents"):
        payments.record(invoice_id=invoice.pk, amount=Decimal(amount), cause="wire")


def test_what_a_state_does_not_allow_is_refused(invoice: Invoice) -> None:
    payments.record(invoice_id=invoice.pk, amount=OWED, cause="wire")
    with pytest.raises(issuing.WrongState, match="it is paid, not open"):
        payments.write_off(invoice_id=invoice.pk, operator=OPERATOR)
    organization = customer(limit="100")
    use(organization, 12_000_000)
    with pytest.raises(issuing.WrongState, match="finalize it first"):
        payments.record(invoice_id=close(organization).pk, amount=CENT, cause="early")
