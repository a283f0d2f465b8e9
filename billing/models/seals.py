"""What was proved of months that are over, so that it is not proved again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billing.models.money import dollars


class MonthSeal(models.Model):
    """The digest of one month of usage records and ledger rows; `billing.seals` says of what. Append-only.

    `digest` covers the digest of the month before, so no seal can be replaced without replacing all later ones.
    """

    month = models.DateField(primary_key=True)
    """The first day of the month, in UTC. Its rows are those whose id (a UUIDv7) was made in it."""
    rows = models.BigIntegerField()
    rows_digest = models.CharField(max_length=64)
    """SHA-256 of the month's rows, hexadecimal."""
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.rows} rows, {self.digest}"


class SealedSum(models.Model):
    """A sum over the rows of a sealed month. Proofs add these up in place of the rows. Append-only.

    It is of one organization (a ledger account, or `usage`: the cost of its usage records) or of one budget period
    (`budget`: what its requests cost). The seal's digest covers the month's sums.
    """

    seal = models.ForeignKey(MonthSeal, on_delete=models.PROTECT, related_name="sums", db_column="month")
    organization_id = models.UUIDField(null=True)
    budget_period_id = models.BigIntegerField(null=True)
    account = models.CharField(max_length=24)
    booked_in = models.DateField(null=True)
    """Of usage: the first day of the month in which it was settled, by which it is invoiced."""
    amount = dollars()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(account="budget", organization_id=None, budget_period_id__isnull=False)
                | (~Q(account="budget") & Q(organization_id__isnull=False, budget_period_id=None)),
                name="sealed_sum_has_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(account="usage", booked_in__isnull=False) | (~Q(account="usage") & Q(booked_in=None)),
                name="sealed_usage_has_its_month",
            ),
        )

    def __str__(self) -> str:
        return f"{self.seal_id:%Y-%m} {self.account}: ${self.amount}"
