"""What stands on an invoice: read from the PDF as a person reads it, from CSV and JSON as a program does."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from accounts.models import Organization
from billing.invoices import credit_notes, issuing, payments, rendering
from billing.models import CreditNote, Invoice
from tests.billing.books import OPERATOR, check_books
from tests.billing.invoices.months_of_use import NOW, OCTOBER, close, customer, issue, many_requests, use

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company(settings: Any) -> None:
    settings.COMPANY_NAME = "Clearwave Speech, Inc."
    settings.COMPANY_ADDRESS = ["548 Market Street, Suite 310", "San Francisco, CA 94104", "United States"]
    settings.COMPANY_TAX_IDS = ["EIN 84-1234567"]
    settings.COMPANY_EMAIL = "billing@clearwave.example"
    settings.COMPANY_PAYMENT = "By transfer to First Example Bank, account 000123456789."


def pages(of: Invoice | CreditNote) -> list[str]:
    """The text of each page, its lines joined by single spaces."""
    with pymupdf.open(stream=rendering.pdf(of)) as document:
        return [" ".join(page.get_text(sort=True).split()) for page in document]


def acme(**more: Any) -> Organization:
    return customer(
        limit="1000000",
        legal_name="Acme Audiobooks GmbH",
        line1="Lindenstraße 12",
        postal_code="10969",
        city="Berlin",
        country="DE",
        tax_ids=["EU VAT DE123456789"],
        **more,
    )


def test_a_plain_invoice() -> None:
    organization = acme()
    for day in range(31):
        use(organization, 61_234, requests=10, at=OCTOBER.start + timedelta(days=day))
    use(organization, 1_237, requests=3, voice="nova")
    first, second = pages(issue(organization))
    for words in (
        "Clearwave Speech, Inc.",
        "548 Market Street, Suite 310",
        "EIN 84-1234567",
        "Acme Audiobooks GmbH",
        "Lindenstraße 12",
        "10969 Berlin",
        "EU VAT DE123456789",
        "INV-2026-000001",
        "November 1, 2026",
        "December 1, 2026",
        "Generated audio, October 1, 2026 to October 31, 2026 (UTC)",
        "310 18,982.540 $0.045 $14.236905000 $14.24",
        "3 3.711 $0.045 $0.002783250 $0.00",
        "Sum of 2 lines $14.24",
        "Amount due, USD $14.24",
        "Please pay $14.24 by December 1, 2026, and name INV-2026-000001.",
        "By transfer to First Example Bank, account 000123456789.",
        "18,982,540 ms × $0.045 ÷ 60,000 = $14.236905000, which is $14.24",
        "All lines come to $14.239688250 exactly; rounding made that $14.24 (+$0.000311750)",
        "page 1 of 2",
    ):
        assert words in first, words
    assert "Tax" not in first
    assert "Thu, Oct 1 13 616.051 $0.462038250" in second
    assert "Sat, Oct 31 10 612.340 $0.459255000" in second
    assert "All days 313 18,986.251 $14.239688250" in second


def test_one_with_tax_and_credit() -> None:
    organization = acme(paid="5", given="10", tax_percent=Decimal("8.875"), tax_note="NY sales tax")
    use(organization, 1_234_567, given=True)
    use(organization, 12_000_000)
    invoice = issue(organization)
    first = pages(invoice)[0]
    for words in (
        "Sum of 1 line $9.93",
        "Paid from promotional credit −$0.93",
        "Paid from your credit −$5.00",
        "Net $4.00",
        "Tax, 8.875% $0.36",
        "Amount due, USD $4.36",
        "NY sales tax",
    ):
        assert words in first, words
    check_books()


def test_one_of_nothing() -> None:
    organization = acme(given="1")
    use(organization, 1_234_567, given=True)
    first = pages(issue(organization))[0]
    for words in (
        "Paid from promotional credit −$0.93",
        "Amount due, USD $0.00",
        "Nothing is to be paid.",
        "Paid from credit",
    ):
        assert words in first, words
    assert "Please pay" not in first
    check_books()


def test_a_credit_note() -> None:
    organization = acme(tax_percent=Decimal(19))
    use(organization, 12_000_000)
    invoice = issue(organization)
    before = rendering.pdf(invoice)
    payments.record(invoice_id=invoice.pk, amount=Decimal("9.71"), cause="wire")
    note = credit_notes.issue(
        invoice_id=invoice.pk, net=Decimal("2.50"), cause="c", reason="Distorted on October 3.", now=NOW
    )
    (page,) = pages(note)
    for words in (
        "Credit note",
        "CN-2026-000001",
        "INV-2026-000001",
        "Distorted on October 3.",
        "Credited, net $2.50",
        "Tax, 19% $0.48",
        "Credit, USD $2.98",
        "$1.00 is no longer to be paid on invoice INV-2026-000001.",
        "$1.98 was paid already and is now credit of yours",
    ):
        assert words in page, words
    invoice.refresh_from_db()
    assert rendering.pdf(invoice) == before
    assert json.loads(rendering.as_json(note))["to_credit"] == "1.98"
    check_books()


def test_one_that_was_withdrawn_says_so() -> None:
    organization = acme()
    use(organization, 12_000_000)
    invoice = issue(organization)
    first = pages(issuing.void(invoice_id=invoice.pk, operator=OPERATOR))[0]
    assert "Invoice (void)" in first
    assert "This invoice was withdrawn. Nothing is to be paid on it." in first


def test_many_lines_go_over_pages_with_their_heads() -> None:
    organization = acme()
    for number in range(60):
        use(organization, 61_234 + number, voice=f"voice-{number:02d}")
    read = pages(issue(organization))
    assert len(read) >= 4
    assert all("MODEL AND VOICE" in page.upper() for page in read[:2])
    assert all(f"voice-{number:02d}" in " ".join(read) for number in range(60))


def test_every_form_says_the_same() -> None:
    organization = acme(tax_percent=Decimal(19))
    for day in range(3):
        use(organization, 61_234, requests=10, at=OCTOBER.start + timedelta(days=day))
        use(organization, 1, voice="nova", price=Decimal(0), at=OCTOBER.start + timedelta(days=day))
    invoice = issue(organization)
    document = json.loads(rendering.as_json(invoice))
    assert (document["number"], document["total"], document["exact"]) == ("INV-2026-000001", "1.64", "1.377765000")
    assert [line["exact"] for line in document["lines"]] == ["1.377765000", "0.000000000"]
    assert {line["dollars_per_minute"] for line in document["lines"]} == {"0.000000000", "0.045000000"}
    rows = list(csv.DictReader(io.StringIO(rendering.as_csv(invoice))))
    assert len(rows) == 6
    assert (rows[0]["seconds"], rows[3]["seconds"]) == ("612.34", "0.001")
    assert sum(Decimal(row["exact_dollars"]) for row in rows) == Decimal(document["exact"])
    assert sum(Decimal(row["seconds"]) for row in rows) * 1000 == sum(
        line["duration_ms"] for line in document["lines"]
    )


def test_a_draft_is_no_document() -> None:
    organization = acme()
    use(organization, 12_000_000)
    with pytest.raises(ValueError, match="it is a draft"):
        rendering.pdf(close(organization))


def test_a_company_puts_its_own_logo_there(settings: Any, tmp_path: Path) -> None:
    organization = acme()
    use(organization, 12_000_000)
    invoice = issue(organization)
    plain = rendering.pdf(invoice)
    settings.COMPANY_LOGO = tmp_path / "logo.svg"
    settings.COMPANY_LOGO.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'
    )
    assert rendering.pdf(invoice) != plain


def test_the_customers_words_are_no_markup() -> None:
    organization = customer(limit="100", legal_name='#panic("x") *A* $x$ \\ <b>')
    use(organization, 12_000_000)
    assert '#panic("x") *A* $x$ \\ <b>' in pages(issue(organization))[0]


def test_one_of_a_million_requests() -> None:
    """1,000 to 1,999 ms, each length a thousand times: 1,499,500 s, that is $1,124.625, to the last digit."""
    organization = acme()
    many_requests(organization, requests=1_000_000)
    invoice = issue(organization)
    assert (invoice.exact, invoice.total) == (Decimal("1124.625"), Decimal("1124.62"))
    first, second = pages(invoice)
    assert "1,000,000 1,499,500.000 $0.045 $1,124.625000000 $1,124.62" in first
    assert "Thu, Oct 1 332,308 498,189.278 $373.641958500" in second
    assert "All days 1,000,000 1,499,500.000 $1,124.625000000" in second
