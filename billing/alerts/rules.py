"""What an organization wants to be told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Organization
from billing.models import AlertKind, AlertRule

MOST = 10
"""Thresholds of budgets that an organization may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All of an organization's wishes, as they are set together."""

    percents: tuple[int, ...] = ()
    """Of every budget, rising."""
    budget_email: bool = True
    credit: Decimal | None = None
    """Below which it is told; None is never."""
    credit_email: bool = True


def of(organization_id: UUID) -> Rules:
    rules = list(AlertRule.objects.filter(organization=organization_id).order_by("percent"))
    budget = [rule for rule in rules if rule.kind == AlertKind.BUDGET]
    credit = next((rule for rule in rules if rule.kind == AlertKind.CREDIT), None)
    return Rules(
        percents=tuple(rule.percent for rule in budget if rule.percent),
        budget_email=all(rule.email for rule in budget),
        credit=credit.amount if credit else None,
        credit_email=credit.email if credit else True,
    )


@transaction.atomic
def put(*, organization: Organization, rules: Rules) -> None:
    """Set what an organization is told of. What it was told of already in a running period is not told again.

    Raises:
        ValueError: a percent is not within 1 to 100, there are too many, or the credit is not above zero.
    """
    if any(not 1 <= percent <= 100 for percent in rules.percents) or len(set(rules.percents)) > MOST:
        raise ValueError(f"percents: up to {MOST} whole numbers from 1 to 100")
    if rules.credit is not None and rules.credit <= 0:
        raise ValueError("credit: above zero")
    Organization.objects.select_for_update().get(pk=organization.pk)  # who sets them at the same time comes after
    _keep(organization, AlertKind.BUDGET, dict.fromkeys(rules.percents), rules.budget_email)
    _keep(organization, AlertKind.CREDIT, {None: rules.credit} if rules.credit else {}, rules.credit_email)


def _keep(organization: Organization, kind: AlertKind, wanted: Mapping[Any, Decimal | None], email: bool) -> None:
    """Set the rules of a kind: percent -> amount. Unchanged rules keep their age."""
    for rule in AlertRule.objects.filter(organization=organization, kind=kind):
        if rule.percent not in wanted:
            rule.delete()
    for percent, amount in wanted.items():
        AlertRule.objects.update_or_create(
            organization=organization, kind=kind, percent=percent, defaults={"amount": amount, "email": email}
        )
