"""Many at once on a real PostgreSQL: a month is billed once, and numbers have no gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from typing import TypeVar

import pytest
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone

from billing import ledger
from billing.invoices import closing, issuing, monthly, payments
from billing.invoices.months import Month
from billing.models import Account, Invoice, InvoiceLine, LedgerTransaction, NumberSeries, UsageRecord
from tests.billing.books import account_of, admit, check_books, usage
from tests.billing.invoices.months_of_use import NOW, OCTOBER, customer, use

pytestmark = pytest.mark.usefixtures("committed")

THREADS = 8
T = TypeVar("T")


def at_once(work: Callable[[int], T], count: int = THREADS) -> list[T]:
    def begin(number: int) -> T:
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def test_closing_at_once_bills_once() -> None:
    for _ in range(10):
        organization = customer(limit="100")
        use(organization, 61_234, requests=20)

        def close(_: int) -> list[Invoice]:
            return closing.close(organization=organization, through=OCTOBER, now=NOW)  # noqa: B023

        drafts = {draft.pk for found in at_once(close) for draft in found}
        assert len(drafts) == 1
        assert Invoice.objects.get(organization=organization).lines.get().requests == 20
    monthly.run(now=NOW)
    check_books()


def test_the_monthly_run_at_once_issues_and_sends_once(mailoutbox: list[EmailMessage]) -> None:
    organizations = [customer(limit="100") for _ in range(12)]
    for organization in organizations:
        use(organization, 1_200_000)
    at_once(lambda _: monthly.run(now=NOW), count=4)
    invoices = Invoice.objects.filter(organization__in=organizations)
    assert [(invoice.state, invoice.total) for invoice in invoices] == [("open", Decimal("0.9"))] * 12
    assert invoices.filter(sent_at=None).count() == 0
    expected = Counter(f"Invoice {invoice.number}" for invoice in invoices)
    assert Counter(letter.subject for letter in mailoutbox if letter.subject in expected) == expected
    check_books()


class Undone(Exception):
    """What makes a transaction fail after it took a number."""


def test_numbers_have_no_gaps_though_others_roll_back() -> None:
    drafts = []
    for _ in range(48):
        organization = customer(limit="100")
        use(organization, 1_200_000)
        drafts += closing.close(organization=organization, through=OCTOBER, now=NOW)
    before = NumberSeries.objects.filter(name="INV-2026").values_list("last", flat=True).first() or 0

    def finalize(number: int) -> None:
        random = Random(number)
        for draft in drafts[number::THREADS]:
            while True:
                try:
                    with transaction.atomic():
                        issuing.finalize(invoice_id=draft.pk, now=NOW)
                        if random.random() < 0.5:
                            raise Undone
                    break
                except Undone:
                    continue

    at_once(finalize)
    numbers = Invoice.objects.filter(pk__in=[draft.pk for draft in drafts]).values_list("number", flat=True)
    assert sorted(numbers) == [f"INV-2026-{before + number:06d}" for number in range(1, 49)]
    check_books()


def test_a_draft_finalized_at_once_has_one_number() -> None:
    organization = customer(limit="100")
    use(organization, 1_200_000)
    (draft,) = closing.close(organization=organization, through=OCTOBER, now=NOW)
    numbers = at_once(lambda _: issuing.finalize(invoice_id=draft.pk, now=NOW).number)
    assert len(set(numbers)) == 1
    check_books()


def test_a_payment_reported_at_once_is_booked_once() -> None:
    organization = customer(limit="100")
    use(organization, 1_200_000)
    monthly.run(now=NOW)
    invoice = Invoice.objects.get(organization=organization)
    cause = f"wire:{invoice.pk}"
    at_once(lambda _: payments.record(invoice_id=invoice.pk, amount=Decimal("0.50"), cause=cause))
    invoice.refresh_from_db()
    assert invoice.left == Decimal("0.40")
    assert LedgerTransaction.objects.filter(kind="payment", cause=cause).count() == 1
    check_books()


def test_what_is_settled_while_its_month_is_closed_is_in_one_invoice_or_the_next() -> None:
    """The running month is closed, as by a clock ahead of the database's, while its jobs settle."""
    organization = customer(limit="1000")
    use(organization, 61_234, requests=20)
    first, *jobs = [admit(organization) for _ in range(200)]
    ledger.settle(usage(first))  # a month without usage would not be closed
    month = Month.of(timezone.now())

    def work(number: int) -> None:
        if number == 0:
            closing.close(organization=organization, through=month, now=month.end)
            return
        for job_id in jobs[number - 1 :: THREADS - 1]:
            ledger.settle(usage(job_id))

    at_once(work)
    closed_until = Account.objects.get(organization=organization).invoiced_until
    assert closed_until == month.end
    lines = InvoiceLine.objects.filter(invoice__organization=organization)
    billed = sum(line.requests for line in lines)
    later = UsageRecord.objects.filter(organization=organization, created_at__gte=month.end).count()
    assert billed + later == 220
    for draft in Invoice.objects.filter(organization=organization, state="draft"):
        issuing.finalize(invoice_id=draft.pk, now=NOW)
    assert account_of(organization).balance == -later * Decimal("0.00075")
    check_books()
