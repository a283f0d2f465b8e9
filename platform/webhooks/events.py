"""What happened, as webhooks tell it: JSON as Standard Webhooks has it (https://www.standardwebhooks.com/)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from webhooks.models import Delivery, WebhookEndpoint

TEST = "webhook.test"
"""Sent on request, to the one endpoint that is tested; it is not among `KINDS`."""
EVERY = "*"
"""In `enabled_events`: every kind, also those that are added later."""
KINDS = {
    "batch.completed": "A batch ended; its results are there",
    "batch.failed": "A batch's input file was refused",
    "batch.expired": "A batch ran out of time",
    "batch.cancelled": "A batch was cancelled",
    "audio.completed": "A background request was spoken",
    "audio.failed": "A background request failed",
    "budget.threshold_reached": "A budget reached an alert threshold",
    "credit.below_threshold": "Credit fell below the alert threshold",
    "invoice.issued": "An invoice was issued",
    "invoice.paid": "An invoice was paid",
    "invoice.overdue": "An invoice is overdue",
}
"""Kind of event -> what the console says of it. An endpoint's `enabled_events` names some of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in an organization.

    `source` names it once for all: a part that tells it again tells nobody twice. `summary` is what the console
    says of it.
    """

    organization_id: UUID
    kind: str
    data: dict[str, Any]
    at: datetime
    source: str
    summary: str

    def __post_init__(self) -> None:
        """Raises ValueError: no endpoint could ask for such an event."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind} is missing from webhooks.events.KINDS")

    def delivery(self, **receiver: Any) -> Delivery:
        """Its message to an `endpoint` or an `address`; not saved."""
        return Delivery(
            organization_id=self.organization_id,
            kind=self.kind,
            data=self.data,
            occurred_at=self.at,
            source=self.source,
            summary=self.summary,
            **receiver,
        )


def messages(events: Sequence[Event]) -> list[Delivery]:
    """A message to each endpoint that wants one, in the caller's transaction; not saved.

    What an endpoint wants is read here, when the event happens: a later choice changes no message already written.
    """
    organizations = {event.organization_id for event in events}
    endpoints = WebhookEndpoint.objects.filter(organization__in=organizations).order_by("id")
    # Locked, so that none is removed before what it is told is written down.
    listening = list(endpoints.select_for_update(no_key=True))
    return [
        event.delivery(endpoint=endpoint)
        for event in events
        for endpoint in listening
        if endpoint.organization_id == event.organization_id and wants(endpoint, event.kind)
    ]


def wants(endpoint: WebhookEndpoint, kind: str) -> bool:
    """Whether an endpoint is sent events of this kind."""
    return EVERY in endpoint.enabled_events or kind in endpoint.enabled_events


@transaction.atomic
def publish(*events: Event) -> None:
    """Write the messages of events down; an event that was published before is not told again."""
    Delivery.objects.bulk_create(messages(events), ignore_conflicts=True)


def body(delivery: Delivery) -> bytes:
    """The same each time that it is sent."""
    timestamp = delivery.occurred_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"organization": f"org_{delivery.organization_id.hex}", **delivery.data}
    return json.dumps({"type": delivery.kind, "timestamp": timestamp, "data": data}).encode()
