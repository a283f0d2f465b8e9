"""Acts that move money: their amounts and approvals."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.identifiers import new_id


class MoneyAct(models.Model):
    """An act with an amount. Below the ceiling it is done at once; above, it waits for another operator.

    waiting -> done; a waiting one is void from `expires_at` on.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    act = models.CharField(max_length=100)
    row_model = models.CharField(max_length=100)
    row_id = models.CharField(max_length=64)
    form = models.JSONField()
    reason = models.TextField()
    amount = models.DecimalField(max_digits=20, decimal_places=9)
    held = models.BooleanField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["asked_by", "-asked_at"], name="money_acts_of_an_operator"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("asked_by")), name="money_act_approved_by_another"
            ),
            models.CheckConstraint(
                condition=Q(held=False)
                | Q(done_at=None, approved_by=None)
                | Q(done_at__isnull=False, approved_by__isnull=False),
                name="money_act_held_is_done_when_approved",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="money_act_has_a_reason"),
        )

    def __str__(self) -> str:
        return f"{self.act} of ${self.amount.normalize():f} on {self.row_model} {self.row_id}"
