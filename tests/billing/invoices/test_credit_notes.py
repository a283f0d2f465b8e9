"""A credit note takes back what an invoice asked for, its share of the tax with it, and never more."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.booking import CauseTaken
from billing.invoices import credit_notes, issuing, payments
from billing.models import CreditNote, Invoice, LedgerEntry
from tests.billing.books import OPERATOR, account_of, check_books
from tests.billing.invoices.months_of_use import NOW, customer, issue, use

pytestmark = pytest.mark.django_db

REASON = "Audio of October 3 was distorted."
MOST_NOTES = 6
"""Of an invoice, lest a hundred notes of a cent each are drawn."""


def invoice_of_nine_dollars(percent: str = "19") -> Invoice:
    organization = customer(limit="100", tax_percent=Decimal(percent))
    use(organization, 12_000_000)
    return issue(organization)


def credit(invoice: Invoice, net: str, cause: str = "ticket 7") -> CreditNote:
    return credit_notes.issue(
        invoice_id=invoice.pk, net=Decimal(net), cause=cause, reason=REASON, now=NOW, operator=OPERATOR
    )


def test_it_comes_off_what_is_left_to_pay() -> None:
    invoice = invoice_of_nine_dollars()
    note = credit(invoice, "2.50")
    assert (note.number, note.net, note.tax, note.total, note.unpaid) == (
        "CN-2026-000001",
        Decimal("2.50"),
        Decimal("0.48"),
        Decimal("2.98"),
        Decimal("2.98"),
    )
    assert credit(invoice, "2.50") == note
    invoice.refresh_from_db()
    assert (invoice.state, invoice.left) == ("open", Decimal("10.71") - Decimal("2.98"))
    check_books()


def test_what_was_paid_becomes_credit() -> None:
    invoice = invoice_of_nine_dollars()
    payments.record(invoice_id=invoice.pk, amount=Decimal("8.71"), cause="wire")
    note = credit(invoice, "2.50")
    assert (note.unpaid, note.total - note.unpaid) == (Decimal("2.00"), Decimal("0.98"))
    invoice.refresh_from_db()
    assert (invoice.state, invoice.left) == ("paid", 0)
    assert account_of(invoice.organization).balance == Decimal("0.98")
    check_books()


def test_all_of_an_invoice_is_all_of_its_tax() -> None:
    invoice = invoice_of_nine_dollars()
    parts = [credit(invoice, part, part) for part in ("0.01", "3.33", "5.66")]
    assert sum(note.tax for note in parts) == invoice.tax
    invoice.refresh_from_db()
    assert invoice.state == "paid"
    assert not LedgerEntry.objects.filter(account="cash").exists()
    with pytest.raises(ValueError, match=r"at most \$0.00"):
        credit(invoice, "0.01", "more")
    check_books()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.decimals(0, 30, places=4))
def test_notes_never_take_back_more_than_was_asked_for(data: st.DataObject, percent: Decimal) -> None:
    invoice = invoice_of_nine_dollars(str(percent))
    left, number = 900, 0
    while left:
        cents = data.draw(st.integers(1, left)) if number < MOST_NOTES - 1 else left
        note = credit(invoice, str(Decimal(cents) / 100), f"{invoice.pk}:{number}")
        assert 0 <= note.tax <= invoice.tax
        left, number = left - cents, number + 1
    assert sum(note.total for note in invoice.credit_notes.all()) == invoice.total
    check_books()


def test_a_cause_names_one_note() -> None:
    credit(invoice_of_nine_dollars(), "1")
    with pytest.raises(CauseTaken):
        credit(invoice_of_nine_dollars(), "1")


@pytest.mark.parametrize("net", ["0", "-1", "0.001", "9.01"])
def test_an_amount_that_cannot_be_credited_is_refused(net: str) -> None:
    with pytest.raises(ValueError, match=r"amount: must be above zero, in whole cents, and at most \$9.00"):
        credit(invoice_of_nine_dollars(), net)
    assert not CreditNote.objects.exists()


def test_what_is_void_or_written_off_is_not_credited() -> None:
    voided, given_up = invoice_of_nine_dollars(), invoice_of_nine_dollars()
    issuing.void(invoice_id=voided.pk, operator=OPERATOR)
    payments.write_off(invoice_id=given_up.pk, operator=OPERATOR)
    for invoice in (voided, given_up):
        with pytest.raises(issuing.WrongState, match="neither open nor paid"):
            credit(invoice, "1")


def test_what_is_credited_cannot_be_voided_nor_the_note_changed() -> None:
    invoice = invoice_of_nine_dollars()
    credit(invoice, "1")
    with pytest.raises(issuing.WrongState):
        issuing.void(invoice_id=invoice.pk, operator=OPERATOR)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CreditNote.objects.update(reason="another")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CreditNote.objects.all()._raw_delete(using="default")
