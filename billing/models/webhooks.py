"""What Stripe tells us."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class StripeDelivery(models.Model):
    """One request to the webhook's address, as it came. UNTRUSTED unless `verified`: anybody can send one."""

    received_at = models.DateTimeField(auto_now_add=True)
    signature = models.CharField(max_length=500)
    body = models.TextField()
    verified = models.BooleanField()
    complaint = models.CharField(max_length=200, default="")

    class Meta:
        indexes = (
            models.Index(fields=["received_at"], condition=Q(verified=False), name="stripe_delivery_forged"),
        )

    def __str__(self) -> str:
        return f"{self.received_at:%Y-%m-%d %H:%M:%S}: {self.complaint or 'verified'}"


class StripeEvent(models.Model):
    """An event, once, however often it was delivered.

    pending -> done, in the transaction of its effect | dead, when its handler failed too often. A type that nobody
    handles is `ignored`.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        IGNORED = "ignored"
        DEAD = "dead"

    id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=100)
    subject = models.CharField(max_length=255)
    """The id of the object that it is about."""
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    error = models.TextField(default="")
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["pending", "done", "ignored", "dead"]), name="stripe_event_state_known"
            ),
        )
        indexes = (
            models.Index(fields=["next_try_at"], condition=Q(state="pending"), name="stripe_event_due"),
            models.Index(fields=["received_at"], condition=Q(state="dead"), name="stripe_event_dead"),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.type}: {self.state}"
