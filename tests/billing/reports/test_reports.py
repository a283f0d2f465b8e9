"""Each report says what was booked, no more and no less, and would say so if it did not."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from operator import attrgetter
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Organization
from billing import grants, ledger
from billing.invoices import credit_notes, issuing, payments
from billing.models import Grant, LedgerEntry, LedgerTransaction
from billing.reports import balances, movements, revenue
from billing.reports.catalogue import REPORTS
from tests.billing.books import OPERATOR, check_books
from tests.billing.invoices.months_of_use import NOVEMBER, NOW, OCTOBER, customer, issue, use
from tests.billing.test_verification import by_hand

pytestmark = pytest.mark.django_db

EVER = {"start": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime(2100, 1, 1, tzinfo=UTC)}


@pytest.fixture
def world() -> tuple[Organization, Organization]:
    """A prepaid and an invoiced customer, with a little of everything."""
    acme = customer(name="Acme", paid="50", given="1")
    use(acme, 600_000, given=True)
    use(acme, 1_200_000, at=OCTOBER.start + timedelta(days=1), requests=2)
    issue(acme)
    bolt = customer(name="Bolt", limit="100", tax_percent=Decimal(20))
    use(bolt, 12_000_000, model="another")
    use(bolt, 6_000_000, at=NOVEMBER.start)
    first = issue(bolt)
    payments.record(invoice_id=first.pk, amount=Decimal(4), cause="wire")
    credit_notes.issue(invoice_id=first.pk, net=Decimal(1), cause="sorry", reason="distorted")
    again = customer(name="Bolt", limit="100", tax_percent=Decimal(20))
    use(again, 12_000_000)
    issuing.void(invoice_id=issue(again).pk, operator=OPERATOR)
    ledger.refund(organization=acme, amount=Decimal("0.25"), cause="sorry")
    ledger.pay_out(organization=acme, amount=Decimal(2), cause="back")
    topped_up = LedgerTransaction.objects.get(kind="top_up")
    ledger.adjust(corrects=topped_up.pk, amount=Decimal(-1), cause="typo", operator=OPERATOR)
    used = LedgerTransaction.objects.filter(organization=acme, kind="usage").latest("created_at")
    ledger.adjust(corrects=used.pk, amount=Decimal("0.10"), cause="too much", operator=OPERATOR)
    ledger.grant(organization=acme, amount=Decimal(2), cause="soon", expires_at=timezone.now())
    grants.expire_due()
    assert Grant.objects.filter(remaining__gt=0).count() == 1
    check_books()
    return acme, bolt


def in_ledger(account: str, **where: Any) -> Decimal:
    entries = LedgerEntry.objects.filter(account=account, **where)
    return entries.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]


def test_each_sums_to_the_ledger(world: object) -> None:
    credit = in_ledger("customer_credit") + in_ledger("promotional_credit")
    expected = {
        "revenue": in_ledger("revenue"),
        "prepaid": credit,
        "receivables": -in_ledger("receivable"),
        "top-ups": Decimal(49),
        "cash": -in_ledger("cash"),
        "refunds": -in_ledger("refunds"),
        "promotional": -in_ledger("promotional_expense"),
        "tax": in_ledger("tax_payable"),
    }
    assert expected.keys() == REPORTS.keys()
    for name, kind in REPORTS.items():
        report = kind.make(**EVER)
        assert report.agrees, name
        assert report.total == expected[name] != 0, name


def test_a_report_that_does_not_agree_says_so(world: object) -> None:
    by_hand("DELETE FROM billing_invoicemovement")
    report = balances.receivables(end=EVER["end"])
    assert (report.agrees, report.total) == (False, 0)
    output = StringIO()
    with pytest.raises(SystemExit):
        call_command("report", "receivables", stdout=output, stderr=StringIO())


def test_revenue_by_day_organization_and_model(world: tuple[Organization, ...]) -> None:
    rows = revenue.by_day(start=OCTOBER.start, end=OCTOBER.end).rows
    columns = attrgetter("organization", "model", "requests", "duration_ms", "amount")
    assert [(f"{row.day:%m-%d}", *columns(row)) for row in rows] == [
        ("10-01", "Acme", "boson/higgs-audio-v2.5", 1, 600_000, Decimal("0.45")),
        ("10-01", "Bolt", "another", 1, 12_000_000, Decimal(9)),
        ("10-01", "Bolt", "boson/higgs-audio-v2.5", 1, 12_000_000, Decimal(9)),
        ("10-02", "Acme", "boson/higgs-audio-v2.5", 2, 2_400_000, Decimal("1.8")),
    ]  # fmt: skip
    (correction,) = (row for row in revenue.by_day(**EVER).rows if not row.requests)
    assert (correction.amount, correction.day) == (Decimal("-0.10"), timezone.now().date())


def test_the_balances_are_those_of_the_moment(world: tuple[Organization, ...]) -> None:
    acme, bolt = world
    rows = {row.organization_id: row for row in balances.prepaid(end=EVER["end"]).rows}
    # 50 - 1.80 used + 0.25 refunded - 2 paid out - 1 of a typo + 0.10 given back; 1 - 0.45 given, 2 expired
    assert (rows[acme.pk].paid, rows[acme.pk].promotional) == (Decimal("45.55"), Decimal("0.55"))
    assert (rows[bolt.pk].paid, rows[bolt.pk].unbilled) == (0, Decimal("4.5"))
    assert balances.prepaid(end=datetime(2020, 1, 1, tzinfo=UTC)).rows == []
    before_november = balances.prepaid(end=NOVEMBER.start)
    assert before_november.agrees
    assert {row.unbilled for row in before_november.rows if row.organization == "Bolt"} == {Decimal(9)}


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-5, "not due"), (0, "not due"), (1, "1-30 days"), (30, "1-30 days"), (31, "31-60 days"),
        (61, "61-90 days"), (90, "61-90 days"), (91, "over 90 days"),
    ],
)  # fmt: skip
def test_receivables_by_age(days: int, age: str) -> None:
    organization = customer(limit="100", net_days=200)
    use(organization, 12_000_000)
    invoice = issue(organization, now=NOW)
    assert invoice.due_at
    (row,) = balances.receivables(end=invoice.due_at + timedelta(days=days)).rows
    assert (row.age, row.amount, row.invoice) == (age, Decimal(9), invoice.number)


def test_what_was_paid_is_no_receivable(world: tuple[Organization, ...]) -> None:
    (row,) = balances.receivables(end=EVER["end"]).rows
    assert (row.organization, row.amount) == ("Bolt", Decimal("10.80") - 4 - Decimal("1.20"))


def test_a_correction_counts_as_what_it_corrects(world: object) -> None:
    assert sum(row.amount for row in movements.top_ups(**EVER).rows) == 49
    by_kind = {row.kind: row.amount for row in movements.cash(**EVER).rows}
    assert by_kind == {"top_up": Decimal(49), "payment": Decimal(4), "payout": Decimal(-2)}


def test_tax_and_promotional_cost_and_refunds(world: object) -> None:
    assert sum(row.amount for row in movements.tax(**EVER).rows) == Decimal("1.60")
    assert {row.kind: row.amount for row in movements.promotional_cost(**EVER).rows} == {
        "grant": Decimal(3),
        "expiry": Decimal(-2),
    }
    assert {row.kind: row.amount for row in movements.refunds(**EVER).rows} == {
        "refund": Decimal("0.25"),
        "credit_note": Decimal(1),
    }


@pytest.mark.parametrize("name", REPORTS)
def test_each_is_csv_by_command(world: object, name: str) -> None:
    output, said = StringIO(), StringIO()
    span = () if REPORTS[name].is_balance else ("--from", "2020-01-01")
    call_command("report", name, *span, "--to", "2100-01-01", stdout=output, stderr=said)
    report = REPORTS[name].make(**EVER)
    rows = list(csv.DictReader(io.StringIO(output.getvalue())))
    assert len(rows) == len(report.rows) > 0
    assert {"organization", "organization_id"} <= rows[0].keys()
    assert said.getvalue() == f"total ${report.total:f}, in the ledger ${report.total:f}\n"
