"""What is to be done at Stripe: a row first, a request afterwards."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.identifiers import new_id


class StripeCall(models.Model):
    """A request that creates or moves something at Stripe. `billing.stripe.outbox` writes them, `sending` sends.

    pending -> sent | refused (Stripe said no, and the operation knows what it means) | dead (a person must look).
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        REFUSED = "refused"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=200, unique=True)
    """The idempotency key, made of our own ids: asking twice makes one row and one request."""
    operation = models.CharField(max_length=40)
    parameters = models.JSONField(encoder=DjangoJSONEncoder)
    """Stripe's, except that {"id_of": key} stands for the id that another call brings."""
    waits_for = ArrayField(models.CharField(max_length=200), default=list)
    """The keys of the calls that must be sent before."""
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(db_default=Now())
    """When it is due. A claim moves it ahead, so that it is a lease as well."""
    stripe_id = models.CharField(max_length=255, default="")
    url = models.TextField(default="")
    """The page to which the customer was sent, for calls that open one."""
    error = models.TextField(default="")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sent", "refused", "dead"]), name="stripe_call_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sent") | Q(stripe_id=""), name="stripe_call_has_an_id_once_sent"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", ended_at=None) | (~Q(state="pending") & Q(ended_at__isnull=False)),
                name="stripe_call_ends_once",
            ),
        )
        indexes = (
            models.Index(fields=["next_try_at"], condition=Q(state="pending"), name="stripe_call_due"),
            models.Index(fields=["created_at"], condition=Q(state="dead"), name="stripe_call_dead"),
        )

    def __str__(self) -> str:
        return f"{self.operation} {self.key}: {self.state}"
