"""A threshold that is passed fires once: in its period, however many look, whatever is set again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import Organization
from billing import budgets, ledger
from billing.alerts import rules
from billing.alerts.detection import fire_due
from billing.alerts.rules import Rules
from billing.models import Account, Alert, AlertRule, Budget, BudgetPeriod
from tests.billing.alerts.world import spend, tell
from tests.billing.books import FRAME, admit, new_organization

DAY, MONTH, TOTAL = Budget.Period.DAY, Budget.Period.MONTH, Budget.Period.TOTAL


def fired(organization: Organization) -> list[tuple[int | None, str]]:
    rows = Alert.objects.filter(organization=organization).order_by("id")
    return list(rows.values_list("percent", "period"))


def test_each_threshold_fires_once_when_it_is_passed(organization: Organization) -> None:
    budgets.put(organization=organization, period=MONTH, amount=100 * FRAME)
    tell(organization, 50, 80)
    spend(organization, 49)
    assert fire_due() == 0
    spend(organization, 1)
    assert fire_due() == 1
    assert fire_due() == 0
    spend(organization, 40)
    assert fire_due() == 1
    assert fired(organization) == [(50, "month"), (80, "month")]
    half, most = Alert.objects.order_by("percent")
    assert (half.reached, half.amount, half.key) == (50 * FRAME, 100 * FRAME, "")
    assert most.reached == 90 * FRAME


def test_what_is_passed_at_once_fires_at_once(organization: Organization) -> None:
    budgets.put(organization=organization, period=DAY, amount=100 * FRAME)
    budgets.put(organization=organization, period=MONTH, amount=1000 * FRAME)
    tell(organization, 5, 50, 80)
    spend(organization, 81)
    assert fire_due() == 4
    assert sorted(fired(organization)) == [(5, "day"), (5, "month"), (50, "day"), (80, "day")]


def test_what_runs_is_not_spent(organization: Organization) -> None:
    budgets.put(organization=organization, period=MONTH, amount=100 * FRAME)
    tell(organization, 50)
    admit(organization, frames=90)
    assert fire_due() == 0


def test_a_budget_that_is_all_but_spent_has_reached_its_hundred(organization: Organization) -> None:
    """The last frame would be refused: nobody could be told at 100 percent."""
    budgets.put(organization=organization, period=MONTH, amount=1000 * FRAME)
    tell(organization, 99, 100)
    spend(organization, 989)
    assert fire_due() == 0
    spend(organization, 5)
    fire_due()
    assert fired(organization) == [(99, "month")]
    spend(organization, 1)
    fire_due()
    assert fired(organization) == [(99, "month"), (100, "month")]


def test_the_budget_of_a_key_is_the_keys(organization: Organization) -> None:
    key, _ = keys.create(organization=organization, name="nightly")
    other, _ = keys.create(organization=organization, name="other")
    for each in (key, other):
        budgets.put(organization=organization, api_key_id=each.id, period=TOTAL, amount=100 * FRAME)
    tell(organization, 50)
    spend(organization, 60, key=key.id)
    assert fire_due() == 1
    alert = Alert.objects.get()
    assert (alert.key, alert.key_name, alert.period, alert.start) == (
        key.named,
        "nightly",
        "total",
        date(1970, 1, 1),
    )


def test_it_fires_again_in_the_next_period(organization: Organization) -> None:
    budgets.put(organization=organization, period=DAY, amount=100 * FRAME)
    tell(organization, 50)
    spend(organization, 60)
    assert fire_due() == 1
    BudgetPeriod.objects.update(start=date(2026, 1, 1))
    Alert.objects.update(start=date(2026, 1, 1))
    spend(organization, 40)
    assert fire_due() == 0
    spend(organization, 20)
    assert fire_due() == 1


def test_the_end_of_a_period_is_not_missed(organization: Organization) -> None:
    """A request of before midnight that is billed after it; not a rule that was made after it."""
    budgets.put(organization=organization, period=DAY, amount=100 * FRAME)
    tell(organization, 50)
    spend(organization, 60)
    tomorrow = datetime.combine(
        timezone.now().astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC
    )
    assert fire_due(at=tomorrow + timedelta(hours=1)) == 0
    assert fire_due(at=tomorrow + timedelta(minutes=5)) == 1
    Alert.objects.all().delete()
    AlertRule.objects.update(created_at=tomorrow + timedelta(minutes=1))
    assert fire_due(at=tomorrow + timedelta(minutes=5)) == 0


def test_another_amount_is_another_threshold(organization: Organization) -> None:
    budgets.put(organization=organization, period=MONTH, amount=100 * FRAME)
    tell(organization, 80)
    spend(organization, 80)
    assert fire_due() == 1
    budgets.put(organization=organization, period=MONTH, amount=200 * FRAME)
    assert fire_due() == 0
    spend(organization, 80)
    assert fire_due() == 1
    assert [alert.amount for alert in Alert.objects.order_by("id")] == [100 * FRAME, 200 * FRAME]


def test_a_rule_that_is_set_again_does_not_fire_again(organization: Organization) -> None:
    budgets.put(organization=organization, period=MONTH, amount=100 * FRAME)
    tell(organization, 50)
    spend(organization, 60)
    assert fire_due() == 1
    tell(organization)
    tell(organization, 50, 60)
    assert fire_due() == 1
    assert fired(organization) == [(50, "month"), (60, "month")]


def test_a_budget_of_nothing_is_never_reached(organization: Organization) -> None:
    budgets.put(organization=organization, period=MONTH, amount=Decimal(0))
    tell(organization, 50)
    assert fire_due() == 0


def test_only_who_asked_is_told(organization: Organization) -> None:
    silent = new_organization(given="1")
    for each in (organization, silent):
        budgets.put(organization=each, period=MONTH, amount=100 * FRAME)
        spend(each, 90)
    tell(organization, 50)
    assert fire_due() == 1
    assert fired(silent) == []


def test_credit_fires_below_the_amount_and_again_once_there_was_enough(organization: Organization) -> None:
    tell(organization, credit="0.50")
    assert fire_due() == 0
    Account.objects.update(balance=Decimal("0.50"), promotional=Decimal("0.50"))
    assert fire_due() == 0
    spend(organization, 1)
    assert fire_due() == 1
    spend(organization, 1)
    assert fire_due() == 0
    ledger.top_up(organization=organization, amount=Decimal(1), cause="enough")
    assert fire_due() == 0
    Account.objects.update(balance=Decimal("0.10"), promotional=Decimal("0.10"))
    assert fire_due() == 1
    first, second = Alert.objects.order_by("id")
    assert first.reached == Decimal("0.50") - FRAME
    assert first.ended_at is not None
    assert (second.reached, second.ended_at) == (Decimal("0.10"), None)


def test_the_credit_of_an_invoiced_customer_is_what_its_limit_leaves(organization: Organization) -> None:
    tell(organization, credit="10")
    Account.objects.update(credit_limit=20)
    assert fire_due() == 0
    Account.objects.update(balance=Decimal("-10.5"), promotional=0)
    assert fire_due() == 1
    assert Alert.objects.get().reached == Decimal("9.5")


def test_another_credit_is_another_threshold(organization: Organization) -> None:
    tell(organization, credit="5")
    assert fire_due() == 1
    tell(organization, credit="2")
    assert fire_due() == 1
    tell(organization)
    assert fire_due() == 0
    assert not Alert.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize(
    "wrong", [{"percents": (0,)}, {"percents": (101,)}, {"percents": tuple(range(1, 12))}, {"credit": Decimal(0)}]
)
def test_a_rule_that_cannot_be_is_refused(organization: Organization, wrong: dict[str, Any]) -> None:
    tell(organization, 50, credit="1")
    with pytest.raises(ValueError, match=next(iter(wrong))):
        rules.put(organization=organization, rules=Rules(**wrong))
    assert rules.of(organization.id) == Rules(percents=(50,), credit=Decimal(1))
