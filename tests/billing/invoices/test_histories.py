"""Whatever happens to customers in whatever order, the books hold, and what is billed is what was used."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from billing import ledger
from billing.invoices import closing, credit_notes, dunning, issuing, monthly, payments, selectors
from billing.invoices.months import Month
from billing.models import Invoice, LedgerTransaction, UsageRecord
from billing.reports.catalogue import REPORTS
from tests.billing.books import OPERATOR, account_of, check_books
from tests.billing.invoices.months_of_use import customer, use

pytestmark = pytest.mark.django_db

STEPS = ("use", "use", "use", "top up", "month", "month", "pay", "credit", "void", "take back", "write off", "dun")


class History:
    """A customer's months, from January 2026 on."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.month = Month.parse("2026-01")
        self.counted = 0

    def cause(self) -> str:
        self.counted += 1
        return f"{self.organization.pk}:{self.counted}"

    def take(self, step: str, data: st.DataObject) -> None:
        invoices = Invoice.objects.filter(organization=self.organization)
        invoice = invoices.order_by("start", "created_at").last()
        now = self.month.start
        if step == "use":
            self.use(data)
        elif step == "top up":
            ledger.top_up(
                organization=self.organization, amount=Decimal(data.draw(st.integers(1, 5))), cause=self.cause()
            )
        elif step == "month":
            self.month = self.month.next()
            monthly.run(now=self.month.start)
        elif step == "dun":
            dunning.run(now=now + timedelta(days=data.draw(st.integers(0, 90))))
        elif invoice is not None:
            with suppress(ValueError):  # its state or what is left of it does not allow that
                self.settle(step, invoice, data)

    def use(self, data: st.DataObject) -> None:
        milliseconds = data.draw(st.integers(0, 4_000_000))
        cost = milliseconds * Decimal("0.00000075")
        account = account_of(self.organization)
        given_covers = account.promotional >= cost
        if given_covers or account.balance - account.promotional + account.credit_limit >= cost:
            at = self.month.start + timedelta(hours=data.draw(st.integers(0, 27 * 24)))
            voice = data.draw(st.sampled_from(("alloy", "nova")))
            use(self.organization, milliseconds, at=at, voice=voice, given=given_covers)

    def settle(self, step: str, invoice: Invoice, data: st.DataObject) -> None:
        cents = Decimal(data.draw(st.integers(1, 400))) / 100
        if step == "pay":
            payments.record(invoice_id=invoice.pk, amount=cents, cause=self.cause())
        elif step == "credit":
            credit_notes.issue(invoice_id=invoice.pk, net=cents, cause=self.cause(), reason="sorry")
        elif step == "void":
            issuing.void(invoice_id=invoice.pk, operator=OPERATOR)
            if data.draw(st.booleans()):
                again = closing.bill_again(voided=invoice)
                issuing.finalize(invoice_id=again.pk, now=self.month.start)
        elif step == "take back":
            payment = LedgerTransaction.objects.filter(kind="payment", of_invoice__invoice=invoice).last()
            if payment:
                payments.take_back(payment=payment, cause=self.cause())
        elif step == "write off":
            payments.write_off(invoice_id=invoice.pk, operator=OPERATOR)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(("0", "5")), st.sampled_from(("0", "19", "8.875")))
def test_the_books_hold_after_any_history(data: st.DataObject, limit: str, percent: str) -> None:
    history = History(customer(given="1", paid="2", limit=limit, tax_percent=Decimal(percent)))
    for step in data.draw(st.lists(st.sampled_from(STEPS), min_size=5, max_size=25)):
        history.take(step, data)
    check_books()
    used = UsageRecord.objects.filter(organization=history.organization)
    billed = Invoice.objects.filter(organization=history.organization).exclude(state="void")
    unbilled = selectors.unbilled(history.organization)
    assert used.aggregate(sum=Sum("cost", default=Decimal(0)))["sum"] == (
        billed.aggregate(sum=Sum("exact", default=Decimal(0)))["sum"] + unbilled
    )
    ever = {"start": Month.parse("2020-01").start, "end": Month.parse("2100-01").start}
    assert all(kind.make(**ever).agrees for kind in REPORTS.values())
