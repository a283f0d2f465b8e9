"""An operator closes, issues, collects and corrects by command, and the audit log knows who and why."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from accounts.models import Organization
from billing.invoices import details, dunning
from billing.models import Invoice, LedgerTransaction, OperatorAct
from tests.billing.books import account_of, check_books
from tests.billing.invoices.months_of_use import customer, issue, use

pytestmark = pytest.mark.django_db

NOBODY = "00000000-0000-7000-8000-000000000000"
WHY = ("--reason", "ticket 7", "--actor", "ada")


@pytest.fixture
def organization() -> Organization:
    organization = customer(limit="100", tax_percent=Decimal(20))
    use(organization, 12_000_000)
    return organization


def command(*arguments: object) -> str:
    output = StringIO()
    call_command(*map(str, arguments), stdout=output, stderr=StringIO())
    return output.getvalue()


def test_from_the_month_to_the_payment(organization: Organization) -> None:
    drafted = command("invoice", "close", "2026-10", "--organization", organization.pk, *WHY).split()[0]
    assert "INV-" in command("invoice", "finalize", drafted, *WHY)
    invoice = Invoice.objects.get(pk=drafted)
    command("invoice", "send", invoice.number, *WHY)
    assert mail.outbox[0].subject == f"Invoice {invoice.number}"
    note = command("invoice", "credit", invoice.number, "1.00", "--cause", "c", *WHY)
    assert re.fullmatch(r"CN-\d{4}-\d{6}: \$1\.20\n", note)
    assert mail.outbox[1].subject.startswith("Credit note CN-")
    paid = command("invoice", "pay", invoice.number, "9.60", "--cause", "wire 1", *WHY).strip()
    assert f"{invoice.number} 2026-10: $10.80" in command("invoice", "list", organization.pk)
    command("invoice", "take-back", paid, "--cause", "bounced", *WHY)
    assert "uncollectible" in command("invoice", "write-off", invoice.number, *WHY)
    assert OperatorAct.objects.filter(actor="ada", reason="ticket 7").count() == 7
    check_books()


def test_everybodys_month_is_closed(organization: Organization) -> None:
    use(customer(limit="100"), 12_000_000)
    assert len(command("invoice", "close", "2026-10", *WHY).splitlines()) == 2
    assert command("invoice", "close", "2026-10", *WHY) == ""
    assert Invoice.objects.filter(state="draft").count() == 2


def test_a_void_month_is_billed_again(organization: Organization) -> None:
    invoice = issue(organization)
    assert "void" in command("invoice", "void", invoice.number, *WHY)
    assert "draft" in command("invoice", "bill-again", invoice.number, *WHY)
    check_books()


def test_documents_and_statements(organization: Organization, tmp_path: Path) -> None:
    invoice = issue(organization)
    assert json.loads(command("invoice", "show", invoice.number))["total"] == "10.80"
    assert command("invoice", "show", invoice.pk, "--format", "csv").startswith("invoice,line,")
    command("invoice", "show", invoice.number, "--format", "pdf", "--output", tmp_path / "i.pdf")
    assert (tmp_path / "i.pdf").read_bytes().startswith(b"%PDF-")
    span = ("--from", "2026-10-01", "--to", "2026-11-01")
    _, line = csv.reader(command("invoice", "statement", organization.pk, *span).splitlines())
    (same,) = command("invoice", "statement", organization.pk, *span, "--format", "jsonl").splitlines()
    assert json.loads(same)["cost"] == line[-1] == "9.000000000"


def test_a_suspension_is_lifted(organization: Organization) -> None:
    invoice = issue(organization)
    with pytest.raises(CommandError, match="is not suspended"):
        command("invoice", "resume", organization.pk, *WHY)
    for days in (3, 7, 14, 21):
        assert invoice.due_at
        dunning.run(now=invoice.due_at + timedelta(days=days))
    command("invoice", "resume", organization.pk, *WHY)
    assert account_of(organization).suspended_at is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("invoice", "close", "2026-13", *WHY), "2026-13"),
        (("invoice", "close", "2099-01", "--organization", "ORGANIZATION", *WHY), "ends at 2099-02-01"),
        (
            ("invoice", "close", "2026-10", "--organization", "00000000-0000-7000-8000-000000000000", *WHY),
            "organiz",
        ),
        (("invoice", "finalize", "INV-1", *WHY), "neither the number of an invoice nor an id"),
        (("invoice", "void", NOBODY, *WHY), "does not exist"),
        (("invoice", "pay", "NUMBER", "0.001", "--cause", "c", *WHY), "whole cents"),
        (("invoice", "pay", "NUMBER", "1.00", *WHY), "--cause"),
        (("invoice", "credit", "NUMBER", "10", "--cause", "c", *WHY), r"at most \$9.00"),
        (("invoice", "bill-again", "NUMBER", *WHY), "open, not void"),
        (("invoice", "void", "NUMBER", "--actor", "ada"), "--reason"),
        (("invoice", "take-back", "ORGANIZATION", "--cause", "c", *WHY), "does not exist"),
        (("billing_details", "ORGANIZATION", "--country", "Germany"), "--country"),
        (("billing_details", "ORGANIZATION", "--tax-percent", "much"), "--tax-percent"),
        (("report", "revenue"), "--from"),
        (("report", "prepaid", "--from", "2026-10-01"), "--from"),
        (("report", "revenue", "--from", "2026-10-02", "--to", "2026-10-02"), "--to"),
    ],
)
def test_what_an_operator_gets_wrong_is_said(
    organization: Organization, arguments: tuple[str, ...], message: str
) -> None:
    number = issue(organization).number or ""
    booked = LedgerTransaction.objects.count()
    filled = [a.replace("ORGANIZATION", str(organization.pk)).replace("NUMBER", number) for a in arguments]
    with pytest.raises(CommandError, match=message):
        command(*filled)
    assert not OperatorAct.objects.exists()
    assert LedgerTransaction.objects.count() == booked


def test_details_are_shown_and_changed(organization: Organization) -> None:
    shown = command(
        "billing_details", organization.pk, "--legal-name", "Acme GmbH", "--tax-ids", "EU VAT DE1", "X 2",
        "--tax-percent", "8.875", "--net-days", "14",
    )  # fmt: skip
    assert "terms        net 14" in shown
    saved = details.of(organization)
    assert (saved.legal_name, saved.tax_ids) == ("Acme GmbH", ["EU VAT DE1", "X 2"])
    assert saved.tax_percent == Decimal("8.875")
