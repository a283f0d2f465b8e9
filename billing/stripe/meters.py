"""Usage for a company that prices in Stripe Billing: each hour of each organization, in whole milliseconds.

An event has an identifier, which Stripe refuses a second time with a 400 for at least 24 hours
(https://docs.stripe.com/api/billing/meter-event/create): the refusal says that the first one arrived. Later the
meter's own summary of the hour says whether it did; there is one event an hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from accounts.identifiers import uuid7_floor
from accounts.models import Organization
from billing.models import StripeCall, UsageRecord
from billing.stripe import customers, outbox

HOUR = timedelta(hours=1)
SETTLES_WITHIN = timedelta(minutes=10)
"""By then what was settled in an hour is committed."""
OLDEST = timedelta(days=34)
"""Stripe takes an event of the last 35 days."""


def report(*, until: datetime | None = None) -> int:
    """Write a call down for each hour that ended; returns how many are new. Safe to run again."""
    end = (until or timezone.now() - SETTLES_WITHIN).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    start = _resume_at(end)
    used = (
        UsageRecord.objects.filter(
            job_id__gte=uuid7_floor(start - timedelta(days=1)),
            created_at__gte=start,
            created_at__lt=end,
            duration_ms__gt=0,
        )
        .annotate(hour=TruncHour("created_at"))
        .values("organization", "hour")
        .annotate(milliseconds=Sum("duration_ms"))
        .order_by("hour", "organization")
    )
    return sum(_report_hour(**row) for row in used)


def deliver(client: stripe.StripeClient, p: dict[str, Any], o: Any) -> dict[str, Any]:
    """Send an event. That Stripe has it already is as good as that it takes it."""
    try:
        client.v1.billing.meter_events.create(p, o)  # type: ignore[arg-type]  # plain JSON
    except stripe.InvalidRequestError as error:
        if "already exists with identifier" not in str(error.user_message):
            raise
    return {"id": p["identifier"]}


def find(client: stripe.StripeClient, p: dict[str, Any], call: StripeCall) -> dict[str, Any] | None:
    """The event, where the meter counted something in its hour."""
    meters = client.v1.billing.meters.list({"status": "active", "limit": 100}).auto_paging_iter()
    meter = next((meter for meter in meters if meter.event_name == p["event_name"]), None)
    if meter is None:
        return None
    hour = p["timestamp"] - p["timestamp"] % 3600
    summaries = client.v1.billing.meters.event_summaries.list(
        meter.id,
        {
            "customer": p["payload"]["stripe_customer_id"],
            "start_time": hour,
            "end_time": hour + 3600,
            "value_grouping_window": "hour",
        },
    )
    counted = any(summary.aggregated_value > 0 for summary in summaries.data)
    return {"id": p["identifier"]} if counted else None


def note_delivery(call: StripeCall, event: dict[str, Any]) -> None:
    """The call's own state says it all."""


@transaction.atomic
def _report_hour(*, organization: Any, hour: datetime, milliseconds: int) -> bool:
    key = f"meter:{organization}:{hour:%Y-%m-%dT%H}"
    if StripeCall.objects.filter(key=key).exists():
        return False
    customer = customers.ensure(Organization.objects.get(pk=organization))
    outbox.put(
        key=key,
        operation="meter_event.create",
        parameters={
            "event_name": settings.STRIPE_METER_EVENT,
            "identifier": key,
            "timestamp": int(hour.timestamp()),
            "payload": {"stripe_customer_id": outbox.id_of(customer.key), "value": str(milliseconds)},
        },
    )
    return True


def _resume_at(end: datetime) -> datetime:
    """Where the last report ended: its last hour again, which finds its keys taken."""
    last = StripeCall.objects.filter(operation="meter_event.create", created_at__gte=end - OLDEST)
    newest = last.order_by("-parameters__timestamp").values_list("parameters__timestamp", flat=True).first()
    return max(datetime.fromtimestamp(newest, UTC), end - OLDEST) if newest else end - OLDEST
