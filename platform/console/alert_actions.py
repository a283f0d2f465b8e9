"""Changes to alert rules and webhooks, with the audit log in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts import audit
from accounts.models import AuditEvent
from billing.alerts import rules
from billing.alerts.emails import dollars
from billing.alerts.rules import Rules
from console.access import Member
from webhooks import endpoints
from webhooks.events import EVERY
from webhooks.models import WebhookEndpoint

_Act = AuditEvent.Action


@transaction.atomic
def put_rules(*, member: Member, wanted: Rules) -> None:
    """Raises ValueError (see `rules.put`). Unchanged values are not logged."""
    if wanted == rules.of(member.organization.id):
        return
    rules.put(organization=member.organization, rules=wanted)
    audit.record(
        organization_id=member.organization.id,
        by=member.actor,
        action=_Act.ALERTS_SET,
        budgets=", ".join(f"{percent} %" for percent in wanted.percents) or "none",
        credit="none" if wanted.credit is None else f"below ${dollars(wanted.credit)}",
        emails=", ".join(name for name, on in _emails(wanted).items() if on) or "none",
    )


@transaction.atomic
def add_webhook(*, member: Member, url: str, enabled_events: Sequence[str]) -> tuple[WebhookEndpoint, str]:
    """Create an endpoint. The second value is its secret, shown once. Raises what `endpoints.add` does."""
    endpoint, secret = endpoints.add(organization=member.organization, url=url, enabled_events=enabled_events)
    _record(member, _Act.WEBHOOK_ADDED, endpoint, events=_shown(endpoint))
    return endpoint, secret


@transaction.atomic
def choose_events(*, member: Member, endpoint: WebhookEndpoint, enabled_events: Sequence[str]) -> None:
    """Set the events that an endpoint is told of; logged if it changes. Raises endpoints.UnknownEvent."""
    if endpoints.choose(endpoint, enabled_events):
        endpoint.refresh_from_db()
        _record(member, _Act.WEBHOOK_CHANGED, endpoint, events=_shown(endpoint))


@transaction.atomic
def rotate_webhook(*, member: Member, endpoint: WebhookEndpoint) -> str:
    """Create a new secret, shown once. Raises WebhookEndpoint.DoesNotExist if it was removed meanwhile."""
    secret = endpoints.rotate(endpoint)
    _record(member, _Act.WEBHOOK_ROTATED, endpoint)
    return secret


@transaction.atomic
def remove_webhook(*, member: Member, endpoint: WebhookEndpoint) -> None:
    if endpoints.remove(endpoint):
        _record(member, _Act.WEBHOOK_REMOVED, endpoint)


def _emails(wanted: Rules) -> dict[str, bool]:
    return {
        "budgets": wanted.budget_email and bool(wanted.percents),
        "credit": wanted.credit_email and wanted.credit is not None,
    }


def _shown(endpoint: WebhookEndpoint) -> str:
    return "all" if EVERY in endpoint.enabled_events else ", ".join(endpoint.enabled_events)


def _record(member: Member, action: AuditEvent.Action, endpoint: WebhookEndpoint, **detail: str) -> None:
    # Only the host: the rest of the URL may contain a secret.
    audit.record(
        organization_id=member.organization.id, by=member.actor, action=action, subject=endpoint.host, **detail
    )
