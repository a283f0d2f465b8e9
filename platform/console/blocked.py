"""Why an organization's requests are refused right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import Organization
from billing import budgets
from billing.budgets import Status
from billing.models import Account

LEAST_DOLLARS = Decimal("0.003")
"""What the shortest request reserves at the list price, unless it sets a cap of its own: four seconds."""


@dataclass(frozen=True, slots=True)
class UsedUp:
    """A budget of the organization that has nothing left."""

    budget: Status

    @property
    def named(self) -> str:
        return {"day": "daily", "month": "monthly"}[self.budget.period]

    @property
    def until(self) -> str:
        """When it resets, in words."""
        if self.budget.period == "day":
            return "at midnight UTC"
        first = timezone.now().astimezone(UTC).replace(day=1) + timedelta(days=32)
        return f"on {first.replace(day=1):%B %-d}, UTC"


@dataclass(frozen=True, slots=True)
class Blocked:
    overdue: bool
    """An invoice is overdue."""
    credit: bool
    """The credit is used up."""
    budgets: Sequence[UsedUp]


def of(organization: Organization, account: Account) -> Blocked:
    """What blocks all keys of the organization; a key's own budget blocks that key alone."""
    used_up = [
        UsedUp(each) for each in budgets.status(organization_id=organization.id) if each.remaining < LEAST_DOLLARS
    ]
    available = account.balance + account.credit_limit - account.held
    return Blocked(
        overdue=account.suspended_at is not None,
        credit=not account.held and available < LEAST_DOLLARS,
        budgets=used_up,
    )
