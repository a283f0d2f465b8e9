"""Delivering what the outbox holds: at least once, again and again over some hours, and then no more."""

from __future__ import annotations

import logging
import smtplib
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from webhooks import events, posting, signing
from webhooks.models import Delivery, WebhookEndpoint
from webhooks.ports import Undeliverable, letter

log = logging.getLogger(__name__)

WAITS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
"""After each failure; the fifth is the last."""
LEASE = timedelta(minutes=2)
"""How long a sender has before another one may try; it gives up long before."""
RUN_SECONDS = 20
"""How long one run goes on: slow receivers may not take the workers' threads from speech."""
KEPT = timedelta(days=90)
"""How long a delivery can be looked at once it has ended."""

_State = Delivery.State

_CLAIM = """
UPDATE billing_alertdelivery SET attempts = attempts + 1, next_try_at = statement_timestamp() + %(lease)s
WHERE id = (
    SELECT id FROM billing_alertdelivery WHERE state = 'pending' AND next_try_at <= statement_timestamp()
    ORDER BY next_try_at FOR UPDATE SKIP LOCKED LIMIT 1
)
RETURNING *
"""


def deliver_due() -> int:
    """Deliver due messages for a limited time; returns the number of attempts."""
    until, tried = time.monotonic() + RUN_SECONDS, 0
    while time.monotonic() < until and (delivery := _claim()) is not None:
        _deliver(delivery)
        tried += 1
    return tried


def deliver_again(delivery: Delivery) -> bool:
    """Make one that has ended due again, as a person decided; False where it has not ended."""
    try:
        with transaction.atomic():
            ended = Delivery.objects.filter(pk=delivery.pk).exclude(state=_State.PENDING)
            return bool(ended.update(state=_State.PENDING, ended_at=None, attempts=0, next_try_at=Now(), error=""))
    except IntegrityError:  # a test, while another one is under way
        return False


def purge_old() -> int:
    """Delete deliveries that ended long ago; what they told of stays, so that it is not told again."""
    old = Delivery.objects.filter(~Q(state=_State.PENDING), ended_at__lt=timezone.now() - KEPT)
    return old.delete()[0]


def _claim() -> Delivery | None:
    return next(iter(Delivery.objects.raw(_CLAIM, {"lease": LEASE})), None)


def _deliver(delivery: Delivery) -> None:
    try:
        _send(delivery)
    except Undeliverable as error:
        _note_failure(delivery, str(error), final=True)
    except signing.NoSecret:
        _note_failure(delivery, "its signing secret ended: make another one", final=True)
    except posting.Failed as error:
        _note_failure(delivery, str(error))
    except (OSError, smtplib.SMTPException):
        _note_failure(delivery, "the mail server did not take it")
    except Exception as error:  # one that nobody thought of must not hold up the others
        log.warning("delivery %s: %s", delivery.id, type(error).__name__)
        _note_failure(delivery, "something went wrong here")
    else:
        if _update(delivery, state=_State.DELIVERED, ended_at=timezone.now(), error="") and delivery.endpoint_id:
            WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(failing_since=None)


def _send(delivery: Delivery) -> None:
    if delivery.endpoint is not None:
        body = events.body(delivery)
        headers = signing.sign(
            delivery.endpoint, message_id=f"msg_{delivery.id.hex}", at=timezone.now(), body=body
        )
        posting.post(delivery.endpoint.url, headers=headers, body=body)
    else:
        letter(delivery)


def _note_failure(delivery: Delivery, why: str, *, final: bool = False) -> None:
    """Try again later, and no more after some hours."""
    now = timezone.now()
    if delivery.endpoint_id and not final:
        _spare(delivery.endpoint_id, until=now + WAITS[0])
    if not final and delivery.attempts <= len(WAITS):
        _update(delivery, next_try_at=now + WAITS[delivery.attempts - 1], error=why[:100])
        return
    if _update(delivery, state=_State.DEAD, ended_at=now, error=why[:100]):
        log.warning("delivery %s was given up after %d tries", delivery.id, delivery.attempts)
        if delivery.endpoint_id:
            WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failing_since=None).update(failing_since=now)


@transaction.atomic
def _spare(endpoint_id: UUID, *, until: datetime) -> None:
    """Postpone all deliveries to one server, so that a hanging server does not delay the others."""
    due = Delivery.objects.filter(endpoint=endpoint_id, state=_State.PENDING, next_try_at__lt=until)
    held_up = due.select_for_update(skip_locked=True).values("pk")
    Delivery.objects.filter(pk__in=held_up).update(next_try_at=until)


def _update(delivery: Delivery, **columns: object) -> bool:
    """Whether this sender still had it: not where its lease ran out and another one took it."""
    held = Delivery.objects.filter(pk=delivery.pk, state=_State.PENDING, attempts=delivery.attempts)
    return bool(held.update(**columns))
