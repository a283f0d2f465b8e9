"""A month becomes one draft, once, of exactly what was used in it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from billing import ledger
from billing.invoices import closing, issuing, monthly, selectors
from billing.models import Account, Invoice, InvoiceDay, UsageRecord
from tests.billing.books import FRAME, OPERATOR, account_of, admit, check_books, usage
from tests.billing.invoices.months_of_use import NOVEMBER, NOW, OCTOBER, close, customer, issue, use

pytestmark = pytest.mark.django_db

MOMENT = timedelta(microseconds=1)


def test_a_line_for_each_model_voice_and_price() -> None:
    organization = customer(limit="100")
    use(organization, 61_234, requests=3)
    use(organization, 1_000, voice="nova")
    use(organization, 2_000, model="another")
    use(organization, 50_001, price=Decimal("0.031"))
    draft = close(organization)
    lines = draft.lines.order_by("position").values_list(
        "model", "voice", "dollars_per_minute", "requests", "duration_ms", "exact", "amount"
    )
    assert [tuple(f"{f:f}" if isinstance(f, Decimal) else str(f) for f in line) for line in lines] == [
        ("another", "alloy", "0.045000000", "1", "2000", "0.001500000", "0.000000000"),
        ("boson/higgs-audio-v2.5", "alloy", "0.031000000", "1", "50001", "0.025833850", "0.030000000"),
        ("boson/higgs-audio-v2.5", "alloy", "0.045000000", "3", "183702", "0.137776500", "0.140000000"),
        ("boson/higgs-audio-v2.5", "nova", "0.045000000", "1", "1000", "0.000750000", "0.000000000"),
    ]
    assert draft.exact == Decimal("0.16586035")
    assert (draft.subtotal, draft.net, draft.due_exact) == (Decimal("0.17"), Decimal("0.17"), draft.exact)
    check_books()


def test_the_month_is_utcs_to_the_microsecond() -> None:
    organization = customer(limit="100")
    for at in (OCTOBER.start - MOMENT, OCTOBER.start, OCTOBER.end - MOMENT, OCTOBER.end):
        use(organization, 40, at=at)
    september, october = closing.close(organization=organization, through=OCTOBER, now=NOW)
    assert (september.exact, october.exact) == (FRAME, 2 * FRAME)
    days = InvoiceDay.objects.filter(line__invoice=october).order_by("day").values_list("day", "requests")
    assert [(day.isoformat(), requests) for day, requests in days] == [("2026-10-01", 1), ("2026-10-31", 1)]
    assert selectors.unbilled(organization) == FRAME
    check_books()


def test_a_month_that_still_takes_usage_is_refused() -> None:
    organization = customer(limit="100")
    use(organization, 40)
    with pytest.raises(closing.MonthNotOver, match="2026-10 ends at 2026-11-01 00:00 UTC"):
        closing.close(organization=organization, through=OCTOBER, now=OCTOBER.end - MOMENT)
    assert not Invoice.objects.exists()


def test_closing_twice_bills_once() -> None:
    organization = customer(limit="100")
    use(organization, 61_234, requests=3)
    first = close(organization)
    assert close(organization) == first
    issuing.finalize(invoice_id=first.pk, now=NOW)
    assert closing.close(organization=organization, through=OCTOBER, now=NOW) == []
    assert Invoice.objects.get().lines.count() == 1
    check_books()


def test_an_organization_with_no_usage_gets_no_invoice() -> None:
    organization = customer(limit="100", paid="5")
    assert closing.close(organization=organization, through=OCTOBER, now=NOW) == []
    assert closing.unclosed(before=OCTOBER.end) == []


def test_usage_that_is_settled_late_belongs_to_the_next_month() -> None:
    """The month was closed while the job ran, or the clock went back: its usage lies after what is closed."""
    organization = customer(paid="5", limit="100")
    use(organization, 40)
    job_id = admit(organization)
    Account.objects.filter(organization=organization).update(invoiced_until="2090-01-01T00:00:00Z")
    record = ledger.settle(usage(job_id))
    assert record.created_at.isoformat() == "2090-01-01T00:00:00+00:00"
    assert UsageRecord.objects.get(job_id=job_id).created_at == record.created_at


def test_who_has_prepaid_is_asked_for_nothing() -> None:
    organization = customer(paid="5", given="1")
    use(organization, 600_000, given=True)
    use(organization, 1_200_000)
    draft = close(organization)
    assert (draft.subtotal, draft.promotional, draft.prepaid) == (
        Decimal("1.35"),
        Decimal("0.45"),
        Decimal("0.90"),
    )
    assert (draft.net, draft.due_exact) == (0, 0)
    check_books()


def test_credit_pays_until_it_is_used_up_and_the_rest_is_owed() -> None:
    organization = customer(paid="0.50", limit="100")
    use(organization, 1_200_000)
    use(organization, 1_000_000, at=OCTOBER.end)  # November's, which the credit balance has lost already
    draft = close(organization)
    assert (draft.prepaid, draft.net, draft.due_exact) == (Decimal("0.50"), Decimal("0.40"), Decimal("0.40"))
    issuing.finalize(invoice_id=draft.pk, now=NOW)
    november = close(organization, NOVEMBER)
    assert (november.prepaid, november.net) == (0, Decimal("0.75"))
    check_books()


def test_a_draft_that_waits_is_not_asked_for_again() -> None:
    organization = customer(limit="100")
    use(organization, 1_200_000)
    use(organization, 600_000, at=NOVEMBER.start)
    october, november = closing.close(organization=organization, through=NOVEMBER, now=NOVEMBER.end)
    assert (october.due_exact, november.due_exact) == (Decimal("0.9"), Decimal("0.45"))
    for draft in (november, october):
        issuing.finalize(invoice_id=draft.pk, now=NOVEMBER.end)
    assert account_of(organization).balance == 0
    check_books()


def test_what_was_cut_off_midway_is_finished_by_the_next_run() -> None:
    organization = customer(limit="100")
    use(organization, 1_200_000)
    closing._begin(organization, OCTOBER)  # and here the process died
    unfinished = Invoice.objects.get()
    with pytest.raises(issuing.WrongState, match="not summed up"):
        issuing.finalize(invoice_id=unfinished.pk)
    check_books()
    assert monthly.run(now=NOW) == 1
    finished = Invoice.objects.get()
    assert (finished.pk, finished.total, finished.state) == (unfinished.pk, Decimal("0.90"), "open")
    check_books()


def test_the_monthly_run_does_everything_once(mailoutbox: list[object]) -> None:
    organizations = [customer(limit="100") for _ in range(3)]
    for organization in organizations:
        use(organization, 1_200_000)
    assert monthly.run(now=NOW) == 3
    assert monthly.run(now=NOW) == 0
    assert len(mailoutbox) == 3
    assert set(Invoice.objects.values_list("state", "total")) == {("open", Decimal("0.9"))}
    check_books()


def test_a_voided_month_is_unbilled_until_it_is_billed_again() -> None:
    organization = customer(limit="100", paid="0.50")
    use(organization, 1_200_000)
    wrong = issue(organization)
    with pytest.raises(ValueError, match="open, not void"):
        closing.bill_again(voided=wrong)
    issuing.void(invoice_id=wrong.pk, operator=OPERATOR)
    assert selectors.unbilled(organization) == Decimal("0.9")
    assert closing.close(organization=organization, through=OCTOBER, now=NOW) == []
    check_books()
    again = closing.bill_again(voided=wrong)
    assert closing.bill_again(voided=wrong) == again
    right = issuing.finalize(invoice_id=again.pk, now=NOW)
    assert (right.prepaid, right.total) == (wrong.prepaid, wrong.total) == (Decimal("0.5"), Decimal("0.4"))
    assert right.number == "INV-2026-000002"
    check_books()


def test_the_lines_sum_to_the_records() -> None:
    organization = customer(limit="100")
    for voice in ("alloy", "nova"):
        for day in range(31):
            use(
                organization,
                1_237 + day * 41,
                requests=day + 1,
                at=OCTOBER.start + timedelta(days=day),
                voice=voice,
            )
    draft = close(organization)
    used = UsageRecord.objects.aggregate(cost=Sum("cost"), ms=Sum("duration_ms"))
    lines = draft.lines.aggregate(cost=Sum("exact"), ms=Sum("duration_ms"))
    days = InvoiceDay.objects.aggregate(cost=Sum("exact"), ms=Sum("duration_ms"))
    assert lines == days == used
    assert draft.exact == used["cost"]
