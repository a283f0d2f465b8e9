"""Billing meters: what was used, hour by hour."""

from __future__ import annotations

from decimal import Decimal

from tests.fakes.stripe.schema import Refused
from tests.fakes.stripe.store import Store, Thing

DAY, HOUR = 86_400, 3600
REMEMBERED_SECONDS, OLDEST_SECONDS, AHEAD_SECONDS = DAY, 35 * DAY, 300
MOST_DIGITS = 15


def create_event(store: Store, p: Thing) -> Thing:
    identifier, at = p["identifier"], p.get("timestamp", store.now())
    if any(
        event["identifier"] == identifier and event["created"] > store.now() - REMEMBERED_SECONDS
        for event in store.all("billing.meter_event")
    ):
        raise Refused(f"An event already exists with identifier {identifier}.")
    if not store.now() - OLDEST_SECONDS <= at <= store.now() + AHEAD_SECONDS:
        raise Refused("The timestamp is too far from now.", code="timestamp_too_far_in_past", param="timestamp")
    value = Decimal(p["payload"]["value"])
    if len(value.as_tuple().digits) > MOST_DIGITS:
        raise Refused("Too many digits.", code="meter_event_value_too_many_digits", param="payload[value]")
    store.get("customer", p["payload"]["stripe_customer_id"])
    event = {
        "object": "billing.meter_event",
        "identifier": identifier,
        "event_name": p["event_name"],
        "timestamp": at,
        "payload": p["payload"],
        "created": store.now(),
    }
    store.things[f"meter-event-{len(store.things)}"] = event
    return event


def summaries(store: Store, meter: Thing, p: Thing) -> Thing:
    if p["start_time"] % HOUR or p["end_time"] % HOUR:
        raise Refused("The times must be whole hours.", param="start_time")
    events = [
        event
        for event in store.all("billing.meter_event", event_name=meter["event_name"])
        if event["payload"]["stripe_customer_id"] == p["customer"]
        and p["start_time"] <= event["timestamp"] < p["end_time"]
    ]
    total = sum(int(event["payload"]["value"]) for event in events)
    data = (
        [{"object": "billing.meter_event_summary", "id": "mtrusg_1", "aggregated_value": total}] if events else []
    )
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/summaries"}
