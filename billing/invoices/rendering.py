"""Invoices and credit notes as PDF, CSV and JSON.

PDF is typeset by typst (https://typst.app/docs) from the templates beside this file, which get what they print as
JSON with every number written out. A change there changes what every document looks like, never what it says.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

from billing import plain
from billing.invoices import documents
from billing.invoices.documents import CreditNoteDocument, Day, InvoiceDocument, PrintedLine
from billing.models import CreditNote, Invoice
from billing.pricing import cost

TEMPLATES = Path(__file__).parent / "templates"
_one_at_a_time = threading.Lock()  # a compiler keeps what it parsed, and is not shared by threads


def pdf(of: Invoice | CreditNote) -> bytes:
    """The document as PDF/A-2b, the archive form; the same bytes each time. Raises ValueError for a draft."""
    document = _document(of)
    is_invoice = isinstance(document, InvoiceDocument)
    printed = _print_invoice(document) if isinstance(document, InvoiceDocument) else _print_note(document)
    with _one_at_a_time:
        made = _compiler("invoice.typ" if is_invoice else "credit_note.typ").compile(
            format="pdf",
            sys_inputs={"document": json.dumps(printed), "logo": _logo()},
            pdf_standards="a-2b",
            timestamp=int(of.issued_at.timestamp()) if of.issued_at else None,
        )
    if not isinstance(made, bytes):
        raise TypeError("typst made no PDF")
    return made


def as_json(of: Invoice | CreditNote) -> str:
    """The document as JSON; amounts are decimal strings. Raises ValueError for a draft."""
    return plain.as_json(_document(of), indent=2)


def as_csv(invoice: Invoice) -> str:
    """The invoice's lines by day, exact: the smallest sums that it is made of. Raises ValueError for a draft."""
    document = documents.of_invoice(invoice)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ("invoice", "line", "model", "voice", "dollars_per_minute", "day", "requests", "seconds", "exact_dollars")
    )
    for line in document.lines:
        fixed = (document.number, line.position, line.model, line.voice, line.dollars_per_minute)
        writer.writerows(
            map(plain.as_text, (*fixed, day.day, day.requests, Decimal(day.duration_ms) / 1000, day.exact))
            for day in line.days
        )
    return text.getvalue()


def _document(of: Invoice | CreditNote) -> InvoiceDocument | CreditNoteDocument:
    return documents.of_invoice(of) if isinstance(of, Invoice) else documents.of_credit_note(of)


@cache
def _compiler(template: str) -> typst.Compiler:
    return typst.Compiler(TEMPLATES / template, root=TEMPLATES)


def _logo() -> str:
    return Path(settings.COMPANY_LOGO or TEMPLATES / "logo.svg").read_text()


def _print_invoice(document: InvoiceDocument) -> dict[str, Any]:
    """What the template prints, each number as people read it."""
    # A line whose requests were rounded to the nano-dollar, at an odd price, would not come out to the last digit.
    example = next((line for line in document.lines if line.exact == _formula(line)), None)
    return {
        **_print_parties(document),
        "void": document.void,
        "due_on": _day(document.due_on),
        "period": f"{document.first_day:%B %Y}",
        "first_day": _day(document.first_day),
        "last_day": _day(document.last_day),
        "lines": [_print_line(line) for line in document.lines],
        "example": _print_line(example) if example else None,
        "requests": f"{sum(line.requests for line in document.lines):,}",
        "seconds": _seconds(sum(line.duration_ms for line in document.lines)),
        "exact": _dollars(document.exact),
        "subtotal": _dollars(document.subtotal),
        "rounding": _dollars(document.subtotal - document.exact, sign="+"),
        "promotional_credit": _off(document.promotional_credit),
        "paid_credit": _off(document.paid_credit),
        "net": _dollars(document.net),
        "tax_percent": _percent(document.tax_percent),
        "tax_note": document.tax_note,
        "tax": _dollars(document.tax),
        "total": _dollars(document.total),
        "nothing_to_pay": not document.total,
        "days": [_print_day(day) for day in documents.days(document)],
    }


def _formula(line: PrintedLine) -> Decimal:
    return cost(duration_ms=line.duration_ms, dollars_per_minute=line.dollars_per_minute)


def _print_note(document: CreditNoteDocument) -> dict[str, Any]:
    return {
        **_print_parties(document),
        "invoice_number": document.invoice_number,
        "invoice_issued_on": _day(document.invoice_issued_on),
        "reason": document.reason,
        "net": _dollars(document.net),
        "tax_percent": _percent(document.tax_percent),
        "tax": _dollars(document.tax),
        "total": _dollars(document.total),
        "off_invoice": _dollars(document.off_invoice) if document.off_invoice else None,
        "to_credit": _dollars(document.to_credit) if document.to_credit else None,
    }


def _print_parties(document: InvoiceDocument | CreditNoteDocument) -> dict[str, Any]:
    return {
        "number": document.number,
        "issued_on": _day(document.issued_on),
        "seller": document.seller,
        "customer": document.customer,
        "currency": document.currency,
    }


def _print_line(line: PrintedLine) -> dict[str, str]:
    return {
        "model": line.model,
        "voice": line.voice,
        "price": f"${_short(line.dollars_per_minute)}",
        "requests": f"{line.requests:,}",
        "seconds": _seconds(line.duration_ms),
        "milliseconds": f"{line.duration_ms:,}",
        "exact": _dollars(line.exact),
        "amount": _dollars(line.amount),
    }


def _print_day(day: Day) -> dict[str, str]:
    return {
        "day": f"{day.day:%a, %b} {day.day.day}",
        "requests": f"{day.requests:,}",
        "seconds": _seconds(day.duration_ms),
        "exact": _dollars(day.exact),
    }


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _seconds(duration_ms: int) -> str:
    return f"{Decimal(duration_ms) / 1000:,.3f}"


def _dollars(amount: Decimal, *, sign: str = "") -> str:
    shown = "+" if sign and amount > 0 else "−" if amount < 0 else ""
    return f"{shown}${abs(amount):,f}"


def _off(amount: Decimal) -> str | None:
    """An amount that is taken off; None where there is nothing to take."""
    return _dollars(-amount) if amount else None


def _percent(percent: Decimal) -> str | None:
    return f"{_short(percent)}%" if percent else None


def _short(number: Decimal) -> str:
    return f"{number.normalize():f}"
