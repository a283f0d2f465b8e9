"""What running jobs may still take."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from billing.models.money import dollars
from billing.models.pricing import Price


class Reservation(models.Model):
    """What a job may cost so far, held from admission until the job ends. Keyed by the job's id. `amount` rises
    while the job is spoken (`billing.reservations.raise_hold`), and never falls.

    pending -> posted (settled) | voided (costs nothing) | expired (nobody said how the job ended). One that was
    voided or expired may still be posted: its audio had been generated, and `late` counts that.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        POSTED = "posted"
        VOIDED = "voided"
        EXPIRED = "expired"

    job_id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = dollars()
    price = models.ForeignKey(
        Price, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    """The price valid at the admission, which is the job's price however long it runs.

    No foreign key: a price can never be deleted, and every admission would lock the same row of the price book.
    """
    budgets = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    """The ids of the BudgetPeriods that hold `amount` too."""
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    late = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_default=Now() + timedelta(days=1))

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount__gte=0), name="reservation_not_negative"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "posted", "voided", "expired"]),
                name="reservation_state_known",
            ),
            models.CheckConstraint(condition=Q(late=False) | Q(state="posted"), name="reservation_late_is_posted"),
        )
        indexes = (
            models.Index(fields=["expires_at"], condition=Q(state="pending"), name="reservation_pending"),
            models.Index(fields=["job_id"], condition=Q(late=True), name="reservation_late"),
        )

    def __str__(self) -> str:
        return f"{self.job_id}: ${self.amount} {self.state}"
