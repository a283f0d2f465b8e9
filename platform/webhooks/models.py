"""Endpoints, what their signing secrets are made of, and the outbox.

The tables keep the names that they got when they were in the room of the alerts.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.identifiers import new_id
from accounts.models import Organization


def every_event() -> list[str]:
    """What an endpoint is told of unless it is said. A migration names this function."""
    return ["*"]


class WebhookEndpoint(models.Model):
    """An address of the customer's that is told of events. `failing_since` a delivery was given up."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    failing_since = models.DateTimeField(null=True)
    enabled_events: ClassVar = ArrayField(models.CharField(max_length=64), default=every_event, db_default=["*"])
    """The kinds of event that it is told of, as Stripe's `enabled_events`; `*` alone is every kind."""

    class Meta:
        db_table = "billing_webhookendpoint"
        constraints = (
            models.UniqueConstraint(fields=["organization", "url"], name="webhook_endpoint_once"),
            models.CheckConstraint(
                condition=Q(enabled_events=["*"])
                | (Q(enabled_events__len__gt=0) & ~Q(enabled_events__contains=["*"])),
                name="webhook_endpoint_wants_events",
            ),
        )

    def __str__(self) -> str:
        return f"webhook {self.id} of {self.organization_id}"

    @property
    def host(self) -> str:
        """Where it goes, as may be shown to all: what follows in the URL may be a secret of its own."""
        return urlsplit(self.url).hostname or ""


class WebhookSecret(models.Model):
    """What an endpoint's signing secret is made of, with a pepper (see `webhooks.signing`); not the secret.

    The current one has no end; one that was replaced signs as well until its end, while the receiver moves over.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    salt = models.BinaryField(max_length=32)
    pepper_number = models.PositiveSmallIntegerField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "billing_webhooksecret"
        constraints = (
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ends_at=None), name="webhook_secret_one_is_current"
            ),
        )

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}, until {self.ends_at}"


class Delivery(models.Model):
    """One message to one receiver: an event, to an endpoint or by e-mail.

    pending -> delivered | dead (tried too often); either is made pending again by a person who asks for it.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, null=True, related_name="deliveries")
    address = models.EmailField(blank=True)
    kind = models.CharField(max_length=64)
    """The event's type, such as `batch.completed`."""
    data: ClassVar = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(db_default=Now())
    summary = models.CharField(max_length=200, blank=True)
    """What the console says of the event."""
    source = models.CharField(max_length=100, blank=True)
    """Names the event once for all, such as `alert:42`; empty is a test."""
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(db_default=Now())
    """When it is due. A claim moves it ahead, so that it is a lease as well."""
    error = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "billing_alertdelivery"
        constraints = (
            models.CheckConstraint(
                condition=Q(endpoint__isnull=False, address="") | (Q(endpoint=None) & ~Q(address="")),
                name="delivery_has_one_receiver",
            ),
            models.UniqueConstraint(
                fields=["source", "endpoint", "address"],
                condition=~Q(source=""),
                nulls_distinct=False,
                name="delivery_once_a_receiver",
            ),
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(source="", state="pending"),
                name="delivery_one_test_at_a_time",
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
