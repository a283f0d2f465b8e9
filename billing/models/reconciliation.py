"""What Stripe's books say, beside ours."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billing.models.money import dollars


class StripeBalanceTransaction(models.Model):
    """A line of Stripe's own book, copied: `amount` came in (or went out, below zero), `fee` Stripe kept."""

    stripe_id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=50)
    subject = models.CharField(max_length=255, db_index=True)
    """What it is of: the payment intent of a charge, a refund, or for a dispute itself."""
    amount = dollars()
    fee = dollars()
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.type} {self.subject}: ${self.amount}"


class StripeDifference(models.Model):
    """Where Stripe and we do not say the same. A later look that finds them agree resolves it."""

    class Kind(models.TextChoices):
        NOT_BOOKED = "not_booked", "Stripe moved money that the ledger does not know"
        NOT_AT_STRIPE = "not_at_stripe", "The ledger booked money that Stripe did not move"
        AMOUNT = "amount", "Both know it, with other amounts"
        INVOICE = "invoice", "An invoice says something else at Stripe"
        CALL = "call", "The outbox says sent, and Stripe has nothing of it"

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"

    kind = models.CharField(max_length=16, choices=Kind)
    subject = models.CharField(max_length=255)
    """A Stripe id, or the cause of a ledger transaction."""
    ours = dollars()
    theirs = dollars()
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    found_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "subject"], name="stripe_difference_once"),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at=None) | Q(state="resolved", resolved_at__isnull=False),
                name="stripe_difference_state_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: ours ${self.ours}, theirs ${self.theirs}"
