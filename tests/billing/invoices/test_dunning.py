"""Who does not pay is reminded three times, each time once, and then gets no more requests, until it is paid."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from accounts.models import Organization
from billing import ledger, reservations
from billing.invoices import credit_notes, dunning, issuing, payments
from billing.models import DunningStep, Invoice, OperatorAct
from tests.billing.books import OPERATOR, account_of, admit, check_books, usage
from tests.billing.invoices.months_of_use import NOVEMBER, customer, issue, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    organization = customer(limit="100", net_days=30)
    use(organization, 12_000_000)
    return organization


@pytest.fixture
def invoice(organization: Organization) -> Invoice:
    return issue(organization)


def after(invoice: Invoice, days: float) -> datetime:
    assert invoice.due_at
    return invoice.due_at + timedelta(days=days)


def suspend(invoice: Invoice) -> None:
    for days in (3, 7, 14, 21):
        assert dunning.run(now=after(invoice, days)) == 1


def subjects() -> list[str]:
    return [letter.subject for letter in mail.outbox]


def test_the_steps_come_in_their_days_each_once(organization: Organization, invoice: Invoice) -> None:
    taken = {}
    for day in range(-2, 40):
        for hours in (0, 12):
            if dunning.run(now=after(invoice, day) + timedelta(hours=hours)):
                taken[day] = subjects()[-1]
    assert taken == {
        3: "Reminder: invoice INV-2026-000001 is overdue",
        7: "Reminder: invoice INV-2026-000001 is overdue",
        14: "Last reminder: invoice INV-2026-000001 is overdue",
        21: "Requests are suspended: invoice INV-2026-000001 is overdue",
    }
    assert DunningStep.objects.count() == 4
    assert account_of(organization).suspended_at == after(invoice, 21)


def test_the_letters_say_what_matters(invoice: Invoice) -> None:
    suspend(invoice)
    first, _, last, suspension = mail.outbox
    assert first.to == ["bills@acme.example"]
    assert "$9.00" in str(first.body)
    assert "due on December 1, 2026" in str(first.body)
    assert "From December 22, 2026 on, your requests are refused" in str(last.body)
    assert "billing_not_active" in str(suspension.body)
    name, content, kind = first.attachments[0]
    assert (name, content[:5], kind) == ("INV-2026-000001.pdf", b"%PDF-", "application/pdf")


def test_a_suspended_organization_gets_no_hold_and_finishes_what_runs(
    organization: Organization, invoice: Invoice
) -> None:
    running = admit(organization)
    suspend(invoice)
    with pytest.raises(reservations.AccountSuspended):
        admit(organization)
    assert ledger.settle(usage(running)).cost > 0
    check_books()


def test_payment_lifts_the_suspension(organization: Organization, invoice: Invoice) -> None:
    suspend(invoice)
    payments.record(invoice_id=invoice.pk, amount=Decimal("8.99"), cause="almost")
    assert account_of(organization).suspended_at
    payments.record(invoice_id=invoice.pk, amount=Decimal("0.01"), cause="the rest")
    admit(organization)
    assert dunning.run(now=after(invoice, 60)) == 0


def test_a_second_suspended_invoice_keeps_it(organization: Organization, invoice: Invoice) -> None:
    use(organization, 12_000_000, at=NOVEMBER.start)
    second = issue(organization, NOVEMBER, now=NOVEMBER.end)
    for day in range(80):
        dunning.run(now=after(invoice, day))
    assert DunningStep.objects.filter(step="suspension").count() == 2
    payments.record(invoice_id=invoice.pk, amount=Decimal(9), cause="one")
    assert account_of(organization).suspended_at
    credit_notes.issue(invoice_id=second.pk, net=Decimal(9), cause="other", reason="goodwill")
    assert account_of(organization).suspended_at is None


def test_a_write_off_is_no_payment(organization: Organization, invoice: Invoice) -> None:
    suspend(invoice)
    payments.write_off(invoice_id=invoice.pk, operator=OPERATOR)
    assert account_of(organization).suspended_at
    payments.record(invoice_id=invoice.pk, amount=Decimal(9), cause="after all")
    assert account_of(organization).suspended_at is None


def test_voiding_lifts_it(organization: Organization, invoice: Invoice) -> None:
    suspend(invoice)
    issuing.void(invoice_id=invoice.pk, operator=OPERATOR)
    assert account_of(organization).suspended_at is None


def test_an_operator_lifts_it_for_good(organization: Organization, invoice: Invoice) -> None:
    suspend(invoice)
    assert dunning.lift_by_hand(organization=organization, operator=OPERATOR)
    assert not dunning.lift_by_hand(organization=organization, operator=OPERATOR)
    assert dunning.run(now=after(invoice, 60)) == 0
    admit(organization)
    assert OperatorAct.objects.get().what == f"suspension of organization {organization.pk} lifted"


def test_nobody_is_suspended_without_a_week_after_the_last_reminder(
    organization: Organization, invoice: Invoice
) -> None:
    """The reminders did not go out for two months."""
    steps = [day for day in range(60, 80) if dunning.run(now=after(invoice, day))]
    assert steps == [60, 61, 62, 69]
    assert account_of(organization).suspended_at == after(invoice, 69)


def test_a_paid_invoice_is_left_alone(invoice: Invoice) -> None:
    payments.record(invoice_id=invoice.pk, amount=Decimal(9), cause="wire")
    assert dunning.run(now=after(invoice, 90)) == 0
    assert mail.outbox == []


def test_a_letter_that_failed_is_tried_again(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", fail)
        assert dunning.run(now=after(invoice, 3)) == 0
    assert not DunningStep.objects.exists()
    assert dunning.run(now=after(invoice, 3)) == 1
    assert len(mail.outbox) == 1
