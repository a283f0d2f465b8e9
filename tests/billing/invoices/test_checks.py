"""`ledger verify` says so when the invoices are wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import Organization
from billing import verification
from billing.invoices import credit_notes, selectors
from billing.models import Invoice
from tests.billing.books import check_books
from tests.billing.invoices.months_of_use import NOVEMBER, customer, issue, use
from tests.billing.test_verification import by_hand, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    organization = customer(limit="100", tax_percent=Decimal(20))
    use(organization, 61_234, requests=20)
    use(organization, 1_237, at=NOVEMBER.start)
    invoice = issue(organization)
    credit_notes.issue(invoice_id=invoice.pk, net=Decimal("0.10"), cause="c", reason="r")
    check_books()
    return organization


USAGE, BILLED = "closed_usage_is_invoiced", "usage_is_invoiced_or_unbilled"
RECEIVABLE, SUMS, NUMBERS = "receivable_is_open_invoices", "invoices_add_up", "numbers_have_no_gaps"


@pytest.mark.parametrize(
    ("statement", "offended"),
    [
        ("UPDATE billing_invoiceline SET exact = exact + 1", {USAGE, BILLED, SUMS}),
        ("UPDATE billing_invoiceday SET exact = exact + 1", {USAGE}),
        ("UPDATE billing_invoice SET exact = exact + 1", {USAGE}),
        ("UPDATE billing_usagerecord SET created_at = '2026-10-05'", {USAGE, BILLED}),
        ("UPDATE billing_account SET invoiced_until = '2026-12-01'", set()),
        ("UPDATE billing_invoice SET state = 'void', paid = 0, credited = 0", {RECEIVABLE, SUMS}),
        ("UPDATE billing_invoice SET paid = paid + 0.01", {RECEIVABLE, SUMS}),
        ("UPDATE billing_invoiceline SET amount = amount + 0.01", {SUMS}),
        ("UPDATE billing_creditnote SET tax = tax + 1, total = total + 1", {SUMS}),
        ("UPDATE billing_invoice SET number = 'INV-2026-000007'", {NUMBERS}),
        ("UPDATE billing_numberseries SET last = last + 1", {NUMBERS}),
        ("DELETE FROM billing_creditnote", {SUMS, NUMBERS}),
        ("DELETE FROM billing_invoicemovement", {SUMS}),
    ],
)  # fmt: skip
def test_what_was_tampered_with_is_found(organization: Organization, statement: str, offended: set[str]) -> None:
    by_hand(statement)
    assert set(wrong()) == offended


def test_unbilled_is_what_no_invoice_bills(organization: Organization) -> None:
    assert selectors.unbilled(organization) == Decimal("0.00092775")
    assert selectors.unbilled(customer()) == 0


def test_usage_that_slipped_into_a_closed_month_is_unbilled_nowhere(organization: Organization) -> None:
    use(organization, 40)
    assert set(wrong()) == {USAGE, BILLED}


def test_the_books_name_these_checks() -> None:
    names = {finding.name for finding in verification.verify().findings}
    assert names >= {USAGE, BILLED, RECEIVABLE, SUMS, NUMBERS}


def test_selectors_show_what_moved(organization: Organization) -> None:
    invoice = Invoice.objects.get()
    assert list(selectors.issued(organization)) == [invoice]
    assert [note.number for note in selectors.credit_notes(organization)] == ["CN-2026-000001"]
    assert selectors.issued(customer()).count() == 0
    start, end = invoice.created_at.replace(year=2000), invoice.created_at.replace(year=2100)
    note, issue_of = selectors.movements(organization, start=start, end=end)
    assert (issue_of.kind, issue_of.receivable, issue_of.credit) == (
        "invoice",
        Decimal("1.10"),
        Decimal("0.91851"),
    )
    assert (note.kind, note.receivable, note.credit) == ("credit_note", Decimal("-0.12"), 0)
    assert note.invoice_number == invoice.number
