"""The overview says when requests are refused, why, and what to do."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Membership
from billing import budgets
from billing.models import Account, Budget
from tests.console.people import Office, browser, called

pytestmark = pytest.mark.django_db
REFUSED = "Requests are refused"


def overview(acme: Office) -> str:
    return browser(acme.owner).get(acme.path("")).content.decode()


def test_nothing_is_said_while_requests_are_served(acme: Office) -> None:
    called(acme)
    budgets.put(organization=acme.organization, period=Budget.Period.MONTH, amount=Decimal(5))
    assert REFUSED not in overview(acme)


@pytest.mark.parametrize(("period", "named"), [("day", "daily"), ("month", "monthly")])
def test_a_budget_that_is_used_up_is_said(acme: Office, period: str, named: str) -> None:
    called(acme, frames=50)
    budgets.put(organization=acme.organization, period=Budget.Period(period), amount=Decimal("0.001"))
    html = overview(acme)
    assert f"the organization's {named} budget of $0.00100 is used up" in html
    following = (timezone.now().astimezone(UTC).replace(day=1) + timedelta(days=32)).replace(day=1)
    assert ("at midnight UTC" if period == "day" else f"on {following:%B %-d}, UTC") in html
    member = acme.join("vera@acme.example", Membership.Role.VIEWER)
    assert "It resets" in browser(member).get(acme.path("")).content.decode()


def test_used_up_credit_and_an_overdue_invoice_are_said(acme: Office) -> None:
    called(acme)
    account = Account.objects.filter(organization=acme.organization)
    account.update(balance=0, promotional=0)
    assert "because your credit is used up" in overview(acme)
    account.update(suspended_at=timezone.now())
    html = overview(acme)
    assert "because an invoice is overdue" in html
    assert html.count(REFUSED) == 1
