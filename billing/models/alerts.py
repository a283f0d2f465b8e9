"""Alert rules, the alerts they raised, and their deliveries."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.identifiers import new_id
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


class WebhookEndpoint(models.Model):
    """An address of the customer's that is told of every alert. `failing_since` a delivery was given up."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    failing_since = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "url"], name="webhook_endpoint_once"),)

    def __str__(self) -> str:
        return f"webhook {self.id} of {self.organization_id}"

    @property
    def host(self) -> str:
        """Where it goes, as may be shown to all: what follows in the URL may be a secret of its own."""
        return urlsplit(self.url).hostname or ""


class WebhookSecret(models.Model):
    """What an endpoint's signing secret is made of, with a pepper (see `billing.alerts.signing`); not the secret.

    The current one has no end; one that was replaced signs as well until its end, while the receiver moves over.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    salt = models.BinaryField(max_length=32)
    pepper_number = models.PositiveSmallIntegerField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ends_at=None), name="webhook_secret_one_is_current"
            ),
        )

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}, until {self.ends_at}"


class AlertDelivery(models.Model):
    """One message to one receiver: an alert by e-mail or to an endpoint, or a test of an endpoint (no alert).

    pending -> delivered | dead (tried too often); either is made pending again by a person who asks for it.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="alert_deliveries")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, null=True, related_name="deliveries")
    address = models.EmailField(blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    """When it is due. A claim moves it ahead, so that it is a lease as well."""
    error = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(endpoint__isnull=False, address="")
                | (Q(endpoint=None, alert__isnull=False) & ~Q(address="")),
                name="alert_delivery_has_one_receiver",
            ),
            models.UniqueConstraint(
                fields=["alert", "endpoint", "address"],
                condition=Q(alert__isnull=False),
                nulls_distinct=False,
                name="alert_delivery_once_a_receiver",
            ),
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(alert=None, state="pending"),
                name="alert_delivery_one_test_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", ended_at=None)
                | Q(state__in=["delivered", "dead"], ended_at__isnull=False),
                name="alert_delivery_ends_once",
            ),
        )
        indexes = (
            models.Index(fields=["next_try_at"], condition=Q(state="pending"), name="alert_delivery_due"),
            models.Index(fields=["organization", "-created_at"], name="alert_delivery_of_one"),
            models.Index(fields=["ended_at"], condition=~Q(state="pending"), name="alert_delivery_ended"),
        )

    def __str__(self) -> str:
        return f"{self.id}: {self.state} after {self.attempts}"
