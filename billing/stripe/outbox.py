"""The outbox: what is to be done at Stripe is written down in the transaction that decides it.

A row is a promise to send one request, and to send it once: its key is Stripe's idempotency key, made of our own
ids. `billing.stripe.sending` keeps the promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from billing import doorbell
from billing.models import StripeCall

AWAITED = timedelta(seconds=30)
"""How long a worker leaves a call to the caller that waits for its answer."""


def put(*, key: str, operation: str, parameters: dict[str, Any], awaited: bool = False) -> StripeCall:
    """Write a call down, or find the one of that key. It is sent once the caller's transaction is committed.

    Where it is `awaited`, the caller sends it (`sending.send_now`), and a worker only where that did not happen.

    `parameters` are Stripe's; `id_of` stands in them for what an earlier call is yet to bring. What is made has
    the key in its `metadata`, by which it can be found again.
    """
    if "metadata" in parameters:
        parameters = {**parameters, "metadata": {**parameters["metadata"], "call": key}}
    call, fresh = StripeCall.objects.get_or_create(
        key=key,
        defaults={
            "operation": operation,
            "parameters": parameters,
            "waits_for": sorted(set(_references(parameters))),
            **({"next_try_at": timezone.now() + AWAITED} if awaited else {}),
        },
    )
    if fresh and not awaited:
        transaction.on_commit(partial(doorbell.ring, doorbell.SEND_STRIPE_CALLS), robust=True)
    return call


def id_of(key: str) -> dict[str, str]:
    """The id that the call of this key brings, as a parameter of a later one."""
    return {"id_of": key}


def resolve(call: StripeCall) -> dict[str, Any]:
    """A call's parameters with the ids that it waited for."""
    found = dict(StripeCall.objects.filter(key__in=call.waits_for).values_list("key", "stripe_id"))
    resolved: dict[str, Any] = _replace(call.parameters, found)
    return resolved


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.keys() == {"id_of"}:
            yield value["id_of"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _references(part)


def _replace(value: Any, found: dict[str, str]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"id_of"}:
            return found[value["id_of"]]
        return {name: _replace(part, found) for name, part in value.items()}
    if isinstance(value, list):
        return [_replace(part, found) for part in value]
    return value
