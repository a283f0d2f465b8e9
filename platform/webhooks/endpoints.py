"""The addresses of a customer's that are told of events."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from accounts.models import Organization
from webhooks import signing, targets
from webhooks.events import EVERY, KINDS, TEST
from webhooks.models import Delivery, WebhookEndpoint

MOST = 5
"""Endpoints of an organization: each is one more request for every event."""


class TooMany(Exception):
    """The organization has as many endpoints as it may."""


class AlreadyThere(Exception):
    """The organization has an endpoint of this URL."""


class UnknownEvent(Exception):
    """There is no event of this name."""


@transaction.atomic
def add(
    *, organization: Organization, url: str, enabled_events: Sequence[str] = (EVERY,)
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; the second value is its signing secret, which is shown this once.

    Where the URL's name leads is looked at for every message (see `posting`), not here.

    Raises:
        targets.Refused: no webhook can have this URL.
        TooMany, AlreadyThere, UnknownEvent: as they say.
    """
    wanted = _checked(enabled_events)
    targets.parse(url)
    Organization.objects.select_for_update().get(pk=organization.pk)
    there = WebhookEndpoint.objects.filter(organization=organization)
    if there.filter(url=url).exists():
        raise AlreadyThere
    if there.count() >= MOST:
        raise TooMany
    endpoint = WebhookEndpoint.objects.create(organization=organization, url=url, enabled_events=wanted)
    return endpoint, signing.create_secret(endpoint)


@transaction.atomic
def rotate(endpoint: WebhookEndpoint) -> str:
    """Make another signing secret, shown this once; for a day, messages are signed with both.

    Raises:
        WebhookEndpoint.DoesNotExist: it was removed meanwhile.
    """
    if _lock(endpoint) is None:
        raise WebhookEndpoint.DoesNotExist
    return signing.create_secret(endpoint)


@transaction.atomic
def choose(endpoint: WebhookEndpoint, enabled_events: Sequence[str]) -> bool:
    """Set the events that it is told of from now on; False where these are the same, or it was removed meanwhile.

    Raises:
        UnknownEvent: as it says.
    """
    wanted = _checked(enabled_events)
    there = _lock(endpoint)
    if there is None or there.enabled_events == wanted:
        return False
    return bool(WebhookEndpoint.objects.filter(pk=there.pk).update(enabled_events=wanted))


@transaction.atomic
def remove(endpoint: WebhookEndpoint) -> bool:
    """End it, with what it was to be sent; False where that has been done."""
    there = _lock(endpoint)
    if there is not None:
        there.delete()
    return there is not None


def send_test(endpoint: WebhookEndpoint) -> bool:
    """Write a test message down; False where one is under way, or the endpoint was removed meanwhile."""
    try:
        with transaction.atomic():
            if _lock(endpoint) is None:
                return False
            Delivery.objects.create(
                organization_id=endpoint.organization_id, endpoint=endpoint, kind=TEST, summary="Test event"
            )
    except IntegrityError as error:
        if "delivery_one_test_at_a_time" not in str(error):
            raise
        return False
    return True


def _checked(enabled_events: Sequence[str]) -> list[str]:
    """Each kind once, in the order of `KINDS`; `*` stands for all. Raises UnknownEvent; none at all is unknown."""
    if EVERY in enabled_events:
        return [EVERY]
    if not enabled_events or not KINDS.keys() >= set(enabled_events):
        raise UnknownEvent
    return [kind for kind in KINDS if kind in enabled_events]


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint | None:
    """Lock its row before its other rows, so that concurrent changes and deletions wait."""
    return WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
