"""Alert rules, and the alerts they raised."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from billing.models.budgets import Budget
from billing.models.money import dollars


class AlertKind(models.TextChoices):
    BUDGET = "budget"
    CREDIT = "credit"


class AlertRule(models.Model):
    """A wish to be told: at `percent` of any budget of the organization or its keys, or below `amount` of credit.

    Endpoints of webhooks are told by every rule, people only where `email` says so.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="alert_rules")
    kind = models.CharField(max_length=6, choices=AlertKind)
    percent = models.PositiveSmallIntegerField(null=True)
    amount = dollars(null=True)
    email = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            # The credit's has no percent, so that there is one of it.
            models.UniqueConstraint(
                fields=["organization", "percent"], name="alert_rule_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(kind="budget", percent__gte=1, percent__lte=100, percent__isnull=False, amount=None)
                | Q(kind="credit", percent=None, amount__gt=0, amount__isnull=False),
                name="alert_rule_has_its_threshold",
            ),
        )

    def __str__(self) -> str:
        return f"{self.percent} % of a budget" if self.percent else f"less than ${self.amount} of credit"


class Alert(models.Model):
    """A threshold that was passed, once: the unique keys decide among detectors that see it at the same time.

    Of a budget once a period, and again where the budget's `amount` was changed: it is then another threshold. Of
    credit once until `ended_at`, when there was enough again. What it was about is kept as plain values, so that
    it can be told of later, whatever became of rule, budget and key.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="alerts")
    kind = models.CharField(max_length=6, choices=AlertKind)
    percent = models.PositiveSmallIntegerField(null=True)
    amount = dollars()
    """The budget, or the credit that there should have been."""
    reached = dollars()
    """What was spent, or the credit that there was."""
    budget_id = models.BigIntegerField(null=True)
    period = models.CharField(max_length=5, choices=Budget.Period, blank=True)
    start = models.DateField(null=True)
    key = models.CharField(max_length=19, blank=True)
    """Whose budget it is, as `sk-…`; empty is the organization's."""
    key_name = models.CharField(max_length=100, blank=True)
    fired_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["budget_id", "start", "percent", "amount"],
                condition=Q(kind="budget"),
                name="alert_once_a_period",
            ),
            models.UniqueConstraint(
                fields=["organization", "amount"],
                condition=Q(kind="credit", ended_at=None),
                name="alert_of_credit_once_until_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="budget",
                    percent__isnull=False,
                    budget_id__isnull=False,
                    start__isnull=False,
                    ended_at=None,
                )
                | Q(kind="credit", percent=None, budget_id=None, start=None),
                name="alert_says_of_what",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.organization_id}: ${self.reached} against ${self.amount}"
