"""Alerts as events; amounts are decimal strings of nine places."""

from __future__ import annotations

from typing import Any

from billing import pricing
from billing.alerts import emails
from billing.models import Alert, AlertKind
from webhooks.events import Event

BUDGET = "budget.threshold_reached"
CREDIT = "credit.below_threshold"
SOURCE = "alert:"


def event_of(alert: Alert) -> Event:
    kind, data = _data(alert)
    return Event(
        organization_id=alert.organization_id,
        kind=kind,
        data=data,
        at=alert.fired_at,
        source=f"{SOURCE}{alert.pk}",
        summary=emails.subject(alert)[:200],
    )


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
