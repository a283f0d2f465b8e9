"""Sending what the outbox holds: each call until Stripe has answered it, and never twice.

Stripe remembers an idempotency key for at least 24 hours and gives a repeat the first answer
(https://docs.stripe.com/api/idempotent_requests). So a call whose answer was lost is sent again under its key.
Once the key may be forgotten, Stripe is asked first whether it has what the call makes, by the key in `metadata`.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import stripe
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from billing.models import StripeCall
from billing.stripe import outbox
from billing.stripe.client import create_client
from billing.stripe.operations import OPERATIONS, Made, Operation

log = logging.getLogger(__name__)

KEY_LASTS = timedelta(hours=23)
"""Within it Stripe surely remembers a key; an hour is kept for clocks and queues."""
LEASE = timedelta(minutes=2)
"""How long a sender has before another one may try; a request gives up long before."""
LONGEST_WAIT = timedelta(hours=1)

_CLAIM = """
UPDATE billing_stripecall SET
    attempts = attempts + 1,
    first_tried_at = coalesce(first_tried_at, statement_timestamp()),
    next_try_at = statement_timestamp() + %(lease)s
WHERE id = (
    SELECT id FROM billing_stripecall due
    WHERE state = 'pending' AND (%(id)s::uuid IS NULL OR id = %(id)s)
        AND (next_try_at <= statement_timestamp() OR id = %(id)s AND attempts = 0)
        AND (SELECT count(*) FROM billing_stripecall earlier
             WHERE earlier.key = ANY (due.waits_for) AND earlier.state = 'sent') = cardinality(due.waits_for)
    ORDER BY next_try_at FOR UPDATE SKIP LOCKED LIMIT 1
)
RETURNING *
"""


def send_due() -> int:
    """Send every call that is due, those that became so meanwhile too; returns how many were tried."""
    tried = 0
    while (call := _claim()) is not None:
        _send(call)
        tried += 1
    return tried


def send_now(*calls: StripeCall) -> None:
    """Send these calls in order while the caller waits. Calls that fail stay due."""
    for call in calls:
        if (claimed := _claim(call.id)) is not None:
            _send(claimed)


def retry(call_id: UUID) -> bool:
    """Make a dead call due again, as a person decided; False where it is not dead."""
    revived = StripeCall.objects.filter(id=call_id, state=StripeCall.State.DEAD)
    return bool(revived.update(state=StripeCall.State.PENDING, ended_at=None, next_try_at=Now()))


def _claim(call_id: UUID | None = None) -> StripeCall | None:
    return next(iter(StripeCall.objects.raw(_CLAIM, {"id": call_id, "lease": LEASE})), None)


def _send(call: StripeCall) -> None:
    operation = OPERATIONS[call.operation]
    parameters = outbox.resolve(call)
    try:
        made = _make(operation, call, parameters)
    except stripe.StripeError as error:
        _note(call, operation, error)
        return
    with transaction.atomic():
        if _end(call, StripeCall.State.SENT, stripe_id=made["id"], url=made.get("url") or ""):
            operation.sent(call, made)


def _make(operation: Operation, call: StripeCall, parameters: dict[str, Any]) -> Made:
    client = create_client()
    forgotten = call.first_tried_at is not None and timezone.now() - call.first_tried_at > KEY_LASTS
    if forgotten and (made := operation.find(client, parameters, call)):
        return made
    return operation.make(client, parameters, {"idempotency_key": call.key})


def _note(call: StripeCall, operation: Operation, error: stripe.StripeError) -> None:
    """What an error means: no for good, or not now."""
    # Stripe's message may quote what we sent; the code and the status say enough.
    text = f"{type(error).__name__} {error.http_status or ''} {error.code or ''}".strip()
    if not isinstance(error, stripe.CardError | stripe.InvalidRequestError | stripe.IdempotencyError):
        waits = min(timedelta(seconds=5) * 2 ** min(call.attempts, 10), LONGEST_WAIT)
        StripeCall.objects.filter(id=call.id, state=StripeCall.State.PENDING).update(
            next_try_at=timezone.now() + waits, error=text
        )
        log.warning("Stripe call %s: %s; next try in %s", call.key, text, waits)
        return
    understood = operation.refused is not None and not isinstance(error, stripe.IdempotencyError)
    with transaction.atomic():
        state = StripeCall.State.REFUSED if understood else StripeCall.State.DEAD
        if _end(call, state, error=text) and operation.refused is not None and understood:
            operation.refused(call, error)
    log.warning("Stripe call %s: %s; %s", call.key, text, state)


def _end(call: StripeCall, state: StripeCall.State, **columns: str) -> bool:
    """Whether this sender ended the call: only then does the answer have its effect."""
    pending = StripeCall.objects.filter(id=call.id, state=StripeCall.State.PENDING)
    return bool(pending.update(state=state, ended_at=timezone.now(), **columns))
