"""Alerts by e-mail. The words are in `billing/templates/billing/alert.txt`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string

from accounts import names
from accounts.models import Membership
from billing import budgets, links, pricing
from billing.models import Alert, AlertKind
from webhooks.models import Delivery
from webhooks.ports import Undeliverable

_READERS = (Membership.Role.OWNER, Membership.Role.ADMIN, Membership.Role.BILLING)
TIMEOUT_SECONDS = 10


def addressees(organization_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Who is told: owner, admins and the billing role, at the addresses that they confirmed."""
    readers = Membership.objects.filter(
        organization__in=organization_ids,
        role__in=_READERS,
        user__is_active=True,
        user__emailaddress__verified=True,
        user__emailaddress__primary=True,
    )
    found = defaultdict(list)
    for organization_id, address in readers.order_by("created_at").values_list(
        "organization_id", "user__emailaddress__email"
    ):
        found[organization_id].append(address)
    return found


def subject(alert: Alert) -> str:
    """What an alert says, in one line."""
    if alert.kind == AlertKind.CREDIT:
        return f"Your credit is below ${dollars(alert.amount)}"
    budget = f"{budgets.kind_of(alert.period).adjective} budget".lstrip()
    which = f"the {budget} of the key “{names.plain(alert.key_name)}”" if alert.key else f"your {budget}"
    return f"{alert.percent} % of {which} is spent"


def dollars(amount: Decimal) -> str:
    """Whole cents from a dollar on; below, what there is exactly, with two places at least."""
    if abs(amount) >= 1:
        return f"{amount:,.2f}"
    whole, _, places = pricing.show(amount).partition(".")
    return f"{whole}.{places.rstrip('0'):0<2}"


def deliver(delivery: Delivery) -> None:
    """Send the e-mail of an alert's delivery; registered as `webhooks.ports.letter`.

    Raises:
        Undeliverable: whom it is to has left meanwhile, or the alert is gone.
        OSError, smtplib.SMTPException: the mail server did not take it.
    """
    alert = Alert.objects.filter(pk=delivery.source.partition(":")[2]).first()
    told = addressees([delivery.organization_id]).get(delivery.organization_id, ())
    if alert is None or delivery.address not in told:
        raise Undeliverable("no longer somebody who is told")
    send(alert, delivery.address)


def send(alert: Alert, address: str) -> None:
    """Send it once.

    Raises:
        OSError, smtplib.SMTPException: the mail server did not take it.
    """
    words = {
        "alert": alert,
        "amount": dollars(alert.amount),
        "reached": dollars(alert.reached),
        "seller": settings.COMPANY_NAME,
        "billing": links.console(alert.organization_id, "billing"),
        "rules": links.console(alert.organization_id, "alerts"),
    }
    body = render_to_string("billing/alert.txt", words)
    server = get_connection(timeout=TIMEOUT_SECONDS)
    EmailMessage(subject=subject(alert), body=body, to=[address], connection=server).send()
