"""Stripe's events: stored as they come, believed once their signature is checked, each with its effect once."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import stripe
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from billing import doorbell
from billing.models import StripeDelivery, StripeEvent
from billing.stripe.client import create_client
from billing.stripe.handlers import HANDLERS

log = logging.getLogger(__name__)

FORGED_KEPT, FORGED_LENGTH, FORGED_MOST = timedelta(days=7), 2_000, 100
"""How long, how much of each, and how many at most are kept of the deliveries that are not Stripe's: anybody can
send as many as they like."""
MOST_TYPES = 20
"""Stripe lists events of no more at once."""
MOST_ATTEMPTS = 12
"""Over some hours; then a person looks, and `replay`s."""
LEASE = timedelta(minutes=2)

_State = StripeEvent.State

_CLAIM = """
UPDATE billing_stripeevent SET attempts = attempts + 1, next_try_at = statement_timestamp() + %(lease)s
WHERE id = (
    SELECT id FROM billing_stripeevent
    WHERE state = 'pending' AND next_try_at <= statement_timestamp() AND (%(id)s::text IS NULL OR id = %(id)s)
    ORDER BY next_try_at FOR UPDATE SKIP LOCKED LIMIT 1
)
RETURNING *
"""


class _Object(BaseModel):
    """What an event is about: fetched from Stripe by its id, where it has one."""

    object: str
    id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{0,255}$")] = ""


class _Data(BaseModel):
    object: _Object


class _Event(BaseModel):
    """As much of an event as is stored: what does not fit the columns is no event."""

    model_config = ConfigDict(strict=True)

    id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
    type: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,100}$")]
    created: Annotated[int, Field(ge=0, le=253_402_300_799)]
    """Seconds, until the end of the year 9999."""
    data: _Data


def receive(*, body: bytes, signature: str) -> bool:
    """Store a delivery; whether it is Stripe's, and its event is ours to keep from here on."""
    complaint = _complaint_about(body, signature)
    text = body.decode(errors="replace").replace("\x00", "")[: FORGED_LENGTH if complaint else None]
    with transaction.atomic():
        StripeDelivery.objects.create(
            signature=signature[:500].replace("\x00", ""), body=text, verified=not complaint, complaint=complaint
        )
        if complaint:
            _drop_forged_but_the_last()
            return False
        if keep(json.loads(body)):
            transaction.on_commit(partial(doorbell.ring, doorbell.PROCESS_STRIPE_EVENTS), robust=True)
    return True


def keep(event: Mapping[str, Any]) -> bool:
    """Take an event in, its source being trusted; False where it is known already."""
    handled = event["type"] in HANDLERS
    _, fresh = StripeEvent.objects.get_or_create(
        id=event["id"],
        defaults={
            "type": event["type"][:100],
            "subject": str(event["data"]["object"].get("id", "")),
            "state": _State.PENDING if handled else _State.IGNORED,
            "created_at": datetime.fromtimestamp(event["created"], UTC),
        },
    )
    return fresh and handled


def process_due() -> int:
    """Give every event that is due its effect; returns how many were tried."""
    tried = 0
    while _process_next():
        tried += 1
    return tried


def replay(event_id: str) -> StripeEvent:
    """Process an event again, whatever became of it; one that never came is fetched from Stripe.

    Raises:
        stripe.StripeError: it never came, and Stripe does not have it (it keeps them for 30 days) or is away.
    """
    if not StripeEvent.objects.filter(id=event_id).exists():
        keep(create_client().v1.events.retrieve(event_id).to_dict())
    StripeEvent.objects.filter(id=event_id, type__in=HANDLERS).update(
        state=_State.PENDING, attempts=0, next_try_at=Now()
    )
    _process_next(event_id)
    return StripeEvent.objects.get(id=event_id)


def catch_up(*, since: datetime) -> int:
    """Take in what Stripe has to tell since a moment and what never arrived; returns how many events are new."""
    client, types, new = create_client(), sorted(HANDLERS), 0
    for first in range(0, len(types), MOST_TYPES):
        some = types[first : first + MOST_TYPES]
        listed = client.v1.events.list({"created": {"gte": int(since.timestamp())}, "types": some, "limit": 100})
        new += sum(keep(event.to_dict()) for event in listed.auto_paging_iter())
    return new


def purge_forged() -> int:
    """Delete deliveries that were not Stripe's, after a week."""
    forged = StripeDelivery.objects.filter(verified=False, received_at__lt=timezone.now() - FORGED_KEPT)
    return forged.delete()[0]


def _drop_forged_but_the_last() -> None:
    """Whatever two of these at once leave over, the next one takes; neither waits for the other."""
    too_old = StripeDelivery.objects.filter(verified=False).order_by("-received_at", "-id")[FORGED_MOST:]
    locked = too_old.values("id").select_for_update(skip_locked=True)
    StripeDelivery.objects.filter(id__in=[row["id"] for row in locked]).delete()


def _complaint_about(body: bytes, signature: str) -> str:
    try:
        stripe.WebhookSignature.verify_header(
            body, signature, settings.STRIPE_WEBHOOK_SECRET, stripe.Webhook.DEFAULT_TOLERANCE
        )
        signed_at = max(map(int, re.findall(r"(?:^|,)t=([0-9]{1,15})(?=,|$)", signature)))
        if signed_at > time.time() + stripe.Webhook.DEFAULT_TOLERANCE:
            return "the signature is of a time to come"
        _Event.model_validate_json(body)
    except stripe.SignatureVerificationError:
        return "the signature is not Stripe's, or too old"
    except ValueError:  # pydantic's are such
        return "it is not an event"
    return ""


def _process_next(event_id: str | None = None) -> bool:
    event = next(iter(StripeEvent.objects.raw(_CLAIM, {"id": event_id, "lease": LEASE})), None)
    if event is None:
        return False
    handler = HANDLERS[event.type]
    try:
        current = handler.fetch(create_client(), event.subject)
        with transaction.atomic():
            if StripeEvent.objects.filter(id=event.id, state=_State.PENDING).update(state=_State.DONE, error=""):
                handler.apply(current)
    except Exception as error:
        _put_off(event, error)
    return True


def _put_off(event: StripeEvent, error: Exception) -> None:
    """Try again later, and no more after some hours. Only the error's kind is kept: its text may quote much."""
    dead = event.attempts >= MOST_ATTEMPTS
    StripeEvent.objects.filter(id=event.id, state=_State.PENDING).update(
        state=_State.DEAD if dead else _State.PENDING,
        next_try_at=timezone.now() + timedelta(seconds=5) * 2**event.attempts,
        error=type(error).__name__,
    )
    log.warning("Stripe event %s (%s): %s", event.id, event.type, type(error).__name__)
