"""Who moved money by hand, and what the last proof of the books said."""

from __future__ import annotations

from datetime import timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from accounts.identifiers import new_id
from billing.models.ledger import LedgerTransaction
from billing.models.money import dollars


class OperatorAct(models.Model):
    """What an operator did: who, why, and what it booked or, where it booked nothing, what. Append-only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    actor = models.CharField(max_length=200)
    reason = models.TextField()
    transaction = models.OneToOneField(LedgerTransaction, on_delete=models.PROTECT, null=True, related_name="act")
    what = models.CharField(max_length=200, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(actor="") & ~Q(reason=""), name="operator_act_says_who_and_why"),
            models.CheckConstraint(
                condition=Q(transaction__isnull=False) | ~Q(what=""), name="operator_act_says_what"
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor}: {self.reason}"


class Verification(models.Model):
    """What a run of `billing.verification` found."""

    at = models.DateTimeField(primary_key=True)
    drift = dollars()
    offenders = models.BigIntegerField()
    late_settlements = models.BigIntegerField()
    report = models.JSONField(encoder=DjangoJSONEncoder)
    whole = models.BooleanField(default=True, db_default=True)
    """All of history was looked at, not the last hours alone."""
    took = models.DurationField(default=timedelta(0), db_default=timedelta(0))

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: drift ${self.drift}, {self.offenders} offenders"
