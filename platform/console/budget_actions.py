"""Changes to the budgets of an organization, with the audit log in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction

from accounts import audit
from accounts.models import AuditEvent
from billing import budgets, pricing
from billing.models import Budget
from console.access import Member


@transaction.atomic
def put(*, member: Member, amounts: Mapping[Budget.Period, Decimal | None]) -> None:
    """Set the budgets of these periods, or remove one with None. Unchanged values are not logged."""
    now = {each.period: each.amount for each in budgets.status(organization_id=member.organization.id)}
    for period, amount in amounts.items():
        if amount == now.get(period):
            continue
        if amount is None:
            budgets.remove(organization=member.organization, period=period)
            action = AuditEvent.Action.BUDGET_LIFTED
        else:
            budgets.put(organization=member.organization, period=period, amount=amount)
            action = AuditEvent.Action.BUDGET_SET
        audit.record(
            organization_id=member.organization.id,
            by=member.actor,
            action=action,
            subject=f"a {period}",
            dollars=None if amount is None else pricing.show(amount),
        )
