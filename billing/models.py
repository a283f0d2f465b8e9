"""Money's tables. Amounts are dollars with nine places, a nano-dollar; no float comes near them.

`Account` is what an organization can spend, a projection of the ledger kept in the same transactions; its CHECK
is the one rule that nobody overspends. `LedgerTransaction` and `LedgerEntry` are append-only and every
transaction sums to zero: triggers in the migration refuse anything else, whoever connects.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from accounts.identifiers import new_id
from accounts.models import Organization


def dollars(**options: Any) -> models.DecimalField[Any, Any]:
    """A column of dollars, exact to the nano-dollar: numeric(20, 9)."""
    return models.DecimalField(max_digits=20, decimal_places=9, **options)


class Price(models.Model):
    """What a minute of a model's audio costs from a moment on, until a later row for the model takes over."""

    model = models.CharField(max_length=100)
    dollars_per_minute = dollars()
    valid_from = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["model", "valid_from"], name="price_once_per_moment"),
            models.CheckConstraint(condition=Q(dollars_per_minute__gte=0), name="price_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.model}: ${self.dollars_per_minute}/min from {self.valid_from:%Y-%m-%d}"


class Account(models.Model):
    """What an organization has (`balance`, of which `promotional`), and what running jobs may take (`held`)."""

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="account"
    )
    balance = dollars(default=Decimal(0))
    promotional = dollars(default=Decimal(0))
    held = dollars(default=Decimal(0))
    credit_limit = dollars(default=Decimal(0))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(balance__gte=F("held") - F("credit_limit")), name="account_never_overspent"
            ),
            models.CheckConstraint(
                condition=Q(held__gte=0, promotional__gte=0, credit_limit__gte=0),
                name="account_parts_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.organization_id}: ${self.balance} of which ${self.held} held"


class LedgerTransaction(models.Model):
    """One movement of money and why. (`kind`, `cause`) is unique, so that a repeat finds the first."""

    class Kind(models.TextChoices):
        USAGE = "usage"
        GRANT = "grant"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    cause = models.CharField(max_length=200)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "cause"], name="ledger_cause_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.cause}"


class LedgerEntry(models.Model):
    """One leg: positive credits the account, negative debits it; a transaction's legs sum to zero."""

    class Name(models.TextChoices):
        CUSTOMER_CREDIT = "customer_credit"
        PROMOTIONAL_CREDIT = "promotional_credit"
        REVENUE = "revenue"
        PROMOTIONAL_EXPENSE = "promotional_expense"

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=24, choices=Name)
    amount = dollars()

    class Meta:
        constraints = (models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_not_zero"),)

    def __str__(self) -> str:
        return f"{self.account} {self.amount:+}"


class Reservation(models.Model):
    """The most a job may cost, held from admission until the job ends. Keyed by the job's id."""

    class State(models.TextChoices):
        PENDING = "pending"
        POSTED = "posted"
        VOIDED = "voided"

    job_id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    amount = dollars()
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(amount__gte=0), name="reservation_not_negative"),)
        indexes = (
            models.Index(fields=["organization"], condition=Q(state="pending"), name="reservation_pending"),
        )

    def __str__(self) -> str:
        return f"{self.job_id}: ${self.amount} {self.state}"


class UsageRecord(models.Model):
    """What a finished job is billed: one row a job, from the samples that the platform counted itself.

    `cost` = `duration_ms` x `dollars_per_minute` / 60,000, so that any bill can be derived again by hand.
    """

    job_id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    api_key_id = models.UUIDField()
    model = models.CharField(max_length=100)
    voice = models.CharField(max_length=100)
    samples = models.BigIntegerField()
    duration_ms = models.BigIntegerField()
    dollars_per_minute = dollars()
    cost = dollars()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(samples=F("duration_ms") * 24, duration_ms__gte=0), name="usage_whole_milliseconds"
            ),
            models.CheckConstraint(condition=Q(cost__gte=0), name="usage_cost_not_negative"),
        )
        indexes = (models.Index(fields=["organization", "created_at"], name="usage_of_organization"),)

    def __str__(self) -> str:
        return f"{self.job_id}: {self.duration_ms} ms, ${self.cost}"
