"""An invoice is issued once, moves the debt to the receivables, and stays as it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from billing.invoices import closing, details, issuing, payments, tax
from billing.models import Invoice, InvoiceDay, InvoiceLine, LedgerEntry, LedgerTransaction, OperatorAct
from billing.reservations import InsufficientCredit
from tests.billing.books import OPERATOR, account_of, admit, check_books
from tests.billing.invoices.months_of_use import NOW, OCTOBER, close, customer, issue, use

pytestmark = pytest.mark.django_db


def entries(invoice: Invoice) -> dict[str, Decimal]:
    """What an invoice's movements come to, by account of the ledger."""
    sums: dict[str, Decimal] = {}
    for leg in LedgerEntry.objects.filter(transaction__of_invoice__invoice=invoice):
        sums[leg.account] = sums.get(leg.account, Decimal(0)) + leg.amount
    return {account: amount for account, amount in sums.items() if amount}


def test_the_debt_moves_from_the_credit_to_the_receivables() -> None:
    organization = customer(limit="100", tax_percent=Decimal(20))
    use(organization, 61_237)  # $0.045927750
    assert account_of(organization).balance == Decimal("-0.04592775")
    invoice = issue(organization)
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("0.05"), Decimal("0.01"), Decimal("0.06"))
    assert entries(invoice) == {
        "receivable": Decimal("-0.06"),
        "tax_payable": Decimal("0.01"),
        "customer_credit": Decimal("0.04592775"),
        "rounding": Decimal("0.00407225"),
    }
    assert account_of(organization).balance == 0
    check_books()


def test_a_repeat_changes_nothing() -> None:
    organization = customer(limit="100")
    use(organization, 600_000)
    invoice = issue(organization)
    assert issuing.finalize(invoice_id=invoice.pk, now=OCTOBER.end).issued_at == invoice.issued_at
    assert LedgerTransaction.objects.filter(kind="invoice").count() == 1


def test_what_rounds_to_nothing_is_paid_when_issued() -> None:
    organization = customer(limit="100")
    use(organization, 40)
    invoice = issue(organization)
    assert (invoice.state, invoice.total) == ("paid", 0)
    assert entries(invoice) == {"customer_credit": Decimal("0.00003"), "rounding": Decimal("-0.00003")}
    check_books()


def test_numbers_follow_each_other_by_the_year() -> None:
    numbers = []
    for _ in range(3):
        organization = customer(limit="100")
        use(organization, 600_000)
        numbers.append(issue(organization).number)
    assert numbers == ["INV-2026-000001", "INV-2026-000002", "INV-2026-000003"]
    organization = customer(limit="100")
    use(organization, 600_000)
    assert issue(organization, now=NOW.replace(year=2027)).number == "INV-2027-000001"
    check_books()


def test_a_number_goes_back_with_what_it_was_for(monkeypatch: pytest.MonkeyPatch) -> None:
    organization = customer(limit="100")
    use(organization, 600_000)
    draft = close(organization)
    with monkeypatch.context() as broken:
        broken.setattr(Invoice, "save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            issuing.finalize(invoice_id=draft.pk, now=NOW)
    assert issuing.finalize(invoice_id=draft.pk, now=NOW).number == "INV-2026-000001"
    check_books()


def test_it_keeps_who_was_billed_and_by_whom() -> None:
    organization = customer(limit="100", legal_name="Acme GmbH", city="Berlin", country="DE")
    use(organization, 600_000)
    invoice = issue(organization)
    details.put(organization=organization, legal_name="Emca GmbH", tax_percent=Decimal(50))
    invoice.refresh_from_db()
    assert invoice.customer["name"] == "Acme GmbH"
    assert invoice.customer["address"] == ["Berlin", "DE"]
    assert invoice.tax == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("country", "Germany"),
        ("country", "de"),
        ("email", "nobody"),
        ("tax_percent", Decimal(101)),
        ("pet", "cat"),
    ],
)
def test_details_that_cannot_be_right_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        details.put(organization=customer(), **{field: value})
    assert [field] == list(refusal.value.message_dict)


def test_the_terms_follow_the_credit_limit() -> None:
    assert details.terms(customer()) == "prepaid"
    assert details.terms(customer(limit="10", net_days=14)) == "net 14"


def test_letters_go_to_the_address_for_bills_else_to_who_pays() -> None:
    from accounts import organizations

    organization = organizations.create(name="A", owner_email="owner@acme.example")
    assert details.addressees(organization) == ["owner@acme.example"]
    details.put(organization=organization, email="bills@acme.example")
    assert details.addressees(organization) == ["bills@acme.example"]


def flat_tax(invoice: Invoice, billed: object) -> tax.Tax:
    return tax.Tax(amount=Decimal("0.07"), percent=Decimal(7), note="as a service found it")


def test_a_tax_service_takes_the_place_of_the_rate(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STRIPE_TAX = True
    monkeypatch.setattr(tax, "found_by_service", flat_tax)
    organization = customer(limit="100", tax_percent=Decimal(20))
    use(organization, 1_200_000)
    invoice = issue(organization)
    assert (invoice.tax, invoice.total, invoice.tax_note) == (
        Decimal("0.07"),
        Decimal("0.97"),
        "as a service found it",
    )
    check_books()


def test_what_is_issued_cannot_be_changed_by_anyone() -> None:
    organization = customer(limit="100", tax_percent=Decimal(20))
    use(organization, 1_200_000)
    issue(organization)

    def refused(statement: str, message: str) -> None:
        with pytest.raises(DatabaseError, match=message), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    moving = {"state", "paid", "credited", "sent_at", "ended_at"}
    fixed = {field.column for field in Invoice._meta.fields} - moving
    changes = {"timestamp with time zone": "now()", "uuid": "gen_random_uuid()", "jsonb": "'[]'"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'billing_invoice'"
        )
        types = dict(cursor.fetchall())
    assert fixed < types.keys()
    for column in fixed:
        value = changes.get(types[column]) or ("99" if types[column] == "numeric" else "'x'")
        refused(f'UPDATE billing_invoice SET "{column}" = {value}', "is issued and cannot be changed")  # noqa: S608
    refused("DELETE FROM billing_invoice", "cannot be deleted")
    refused("UPDATE billing_invoice SET state = 'draft'", "leads no way")
    for table, column in {"invoiceline": "amount", "invoiceday": "exact", "invoicemovement": "invoice_id"}.items():
        refused(f"UPDATE billing_{table} SET {column} = {column}", "append-only")  # noqa: S608
        refused(f"DELETE FROM billing_{table}", "append-only")  # noqa: S608
    line = InvoiceLine.objects.get()
    day = InvoiceDay.objects.get()
    line.pk, line.position, line.voice, day.pk, day.day = None, 2, "nova", None, OCTOBER.end.date()
    for row in (line, day):
        with pytest.raises(DatabaseError, match="takes no more lines"), transaction.atomic():
            row.save(force_insert=True)
    refused("UPDATE billing_invoice SET state = 'paid'", "invoice_paid_when_all_is")
    refused("UPDATE billing_invoice SET paid = total + 1, state = 'paid'", "invoice_paid_when_all_is")


def test_a_second_invoice_for_a_month_cannot_be_written() -> None:
    organization = customer(limit="100")
    use(organization, 600_000)
    issue(organization)
    with pytest.raises(DatabaseError, match="invoice_once_a_period"), transaction.atomic():
        Invoice.objects.create(organization=organization, start=OCTOBER.start, end=OCTOBER.end, due_exact=0)


def test_voiding_gives_the_debt_back_to_the_credit() -> None:
    organization = customer(limit="1", tax_percent=Decimal(20))
    use(organization, 1_200_000)
    invoice = issue(organization)
    assert issuing.void(invoice_id=invoice.pk, operator=OPERATOR).state == "void"
    assert issuing.void(invoice_id=invoice.pk, operator=OPERATOR).state == "void"
    assert entries(invoice) == {}
    assert account_of(organization).balance == Decimal("-0.9")
    assert OperatorAct.objects.count() == 1
    check_books()


def test_voiding_is_no_way_past_the_credit_limit() -> None:
    organization = customer(limit="1")
    use(organization, 1_200_000)
    invoice = issue(organization)
    admit(organization, frames=30_000)  # the limit is free again, and held again
    issuing.void(invoice_id=invoice.pk, operator=OPERATOR)
    assert account_of(organization).overdraft == Decimal("0.8")
    with pytest.raises(InsufficientCredit):
        admit(organization, frames=1)
    check_books()


def test_what_was_paid_cannot_be_voided() -> None:
    organization = customer(limit="100")
    use(organization, 1_200_000)
    invoice = issue(organization)
    payments.record(invoice_id=invoice.pk, amount=Decimal("0.10"), cause="wire")
    with pytest.raises(issuing.WrongState, match="INV-2026-000001: only one that nothing was paid of"):
        issuing.void(invoice_id=invoice.pk, operator=OPERATOR)


def test_what_cost_nothing_can_be_voided_and_billed_again() -> None:
    organization = customer(paid="5")
    use(organization, 1_200_000)
    invoice = issue(organization)
    issuing.void(invoice_id=invoice.pk, operator=OPERATOR)
    assert OperatorAct.objects.get().what == "invoice INV-2026-000001: voided"
    assert closing.bill_again(voided=invoice).prepaid == Decimal("0.9")
    check_books()
