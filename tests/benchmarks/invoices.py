"""A month's close: drafts, numbers, documents and e-mails of a thousand customers, as the monthly task makes them;
and one customer's month of ten million requests.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.test.utils import override_settings

from tests.benchmarks import budget

CUSTOMERS = budget.number(1_000, least=2)
REQUESTS = 200
"""Of each customer, over 30 days, in 5 voices."""
MANY = 1_000 * budget.number(10_000)
"""Of one customer."""
PDFS = budget.number(200, least=2)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
VOICES = ("alloy", "nova", "marin", "onyx", "verse")


def run() -> None:
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend"):
        _close_a_thousand()
        _render()
    _close_many()


def _close_a_thousand() -> None:
    from billing.invoices import monthly
    from tests.billing.invoices.months_of_use import customer, use

    for _ in range(CUSTOMERS):
        with transaction.atomic():
            organization = customer(limit="1000", tax_percent=Decimal(19))
            for number, voice in enumerate(VOICES):
                at = OCTOBER + timedelta(hours=number)
                use(organization, 61_234, requests=REQUESTS // len(VOICES), at=at, apart="18 hours", voice=voice)
    began = time.perf_counter()
    issued = monthly.run(now=NOW)
    seconds = time.perf_counter() - began
    print(f"{issued} invoices drafted, issued and sent with their PDF in {seconds:.1f} s, one process")


def _render() -> None:
    from billing.invoices import rendering
    from billing.models import Invoice

    invoices = list(Invoice.objects.exclude(number=None)[:PDFS])
    began = time.perf_counter()
    for invoice in invoices:
        rendering.pdf(invoice)
    print(f"a PDF of {len(VOICES)} lines and a page of days: {(time.perf_counter() - began) / PDFS * 1000:.1f} ms")


def _close_many() -> None:
    from tests.billing.invoices.months_of_use import close, customer, many_requests

    with transaction.atomic():
        organization = customer(limit="1000000")
        many_requests(organization, requests=MANY)
        began = time.perf_counter()
        draft = close(organization)
        seconds = time.perf_counter() - began
        print(f"a month of {MANY:,} requests summed up in {seconds:.1f} s: ${draft.exact}")
        transaction.set_rollback(True)
    connection.close()
