"""What an organization allows itself or one of its keys to spend."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from billing.models.money import dollars


class Budget(models.Model):
    """A limit in dollars: a calendar day or month (UTC) of the organization or one key, or a key's whole life."""

    class Period(models.TextChoices):
        DAY = "day"
        MONTH = "month"
        TOTAL = "total"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="budgets")
    api_key_id = models.UUIDField(null=True)
    """Only this key; NULL is the organization with all its keys."""
    period = models.CharField(max_length=5, choices=Period)
    amount = dollars()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "api_key_id", "period"], name="budget_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="budget_not_negative"),
            models.CheckConstraint(condition=Q(period__in=["day", "month", "total"]), name="budget_period_known"),
            models.CheckConstraint(
                condition=~Q(period="total") | Q(api_key_id__isnull=False), name="budget_total_is_of_a_key"
            ),
        )

    def __str__(self) -> str:
        return f"${self.amount} a {self.period}"


class BudgetPeriod(models.Model):
    """What a budget's period spent and holds. Made by the first request that falls into it.

    `start` is the period's first day, and 1970-01-01 for a total.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="periods")
    start = models.DateField()
    held = dollars(default=Decimal(0), db_default=Decimal(0))
    spent = dollars(default=Decimal(0), db_default=Decimal(0))
    spent_before = dollars(default=Decimal(0), db_default=Decimal(0))
    """The part of `spent` that is older than the budget; the rest are the requests that name the period."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["budget", "start"], name="budget_period_once"),
            models.CheckConstraint(condition=Q(spent__gte=F("spent_before")), name="budget_period_spent_before"),
            models.CheckConstraint(condition=Q(held__gte=0, spent__gte=0), name="budget_period_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.budget_id} from {self.start}: ${self.spent} spent, ${self.held} held"
