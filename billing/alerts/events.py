"""What a webhook says: JSON as Standard Webhooks has it, with amounts as decimal strings of nine places."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from billing import pricing
from billing.models import Alert, AlertDelivery, AlertKind

BUDGET = "budget.threshold_reached"
CREDIT = "credit.below_threshold"
TEST = "webhook.test"


def body(delivery: AlertDelivery) -> bytes:
    """The same each time that it is sent."""
    organization = f"org_{delivery.organization_id.hex}"
    if delivery.alert is None:
        return _dump(TEST, delivery.created_at, {"organization": organization})
    kind, data = _data(delivery.alert)
    return _dump(kind, delivery.alert.fired_at, {"organization": organization, **data})


def _data(alert: Alert) -> tuple[str, dict[str, Any]]:
    if alert.kind == AlertKind.CREDIT:
        return CREDIT, {"threshold": pricing.show(alert.amount), "credit": pricing.show(alert.reached)}
    budget = {
        "scope": "key" if alert.key else "organization",
        "key": alert.key or None,
        "key_name": alert.key_name or None,
        "period": alert.period,
        "start": None if alert.period == "total" or alert.start is None else alert.start.isoformat(),
        "amount": pricing.show(alert.amount),
    }
    return BUDGET, {"threshold_percent": alert.percent, "spent": pricing.show(alert.reached), "budget": budget}


def _dump(kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    timestamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": kind, "timestamp": timestamp, "data": data}).encode()
