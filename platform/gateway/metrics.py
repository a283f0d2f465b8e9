"""GET /metrics, for Prometheus: this process's counters, and what the last proof of the books found."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from billing import verification
from billing.stripe import backlog
from gateway.errors import not_found
from gateway.service import Service

DRIFT = Gauge("speech_ledger_drift_dollars", "What the books are wrong by, as the last proof found.")
OFFENDERS = Gauge("speech_ledger_offenders", "Rows that the last proof of the books found wrong.")
LATE_SETTLEMENTS = Gauge("speech_ledger_late_settlements", "Holds that were settled after their release.")
VERIFIED_AT = Gauge("speech_ledger_verified_timestamp_seconds", "When the books were last proved.")

STRIPE_CALL_AGE = Gauge("speech_stripe_oldest_call_seconds", "The age of the oldest unanswered call of Stripe.")
STRIPE_DEAD_CALLS = Gauge("speech_stripe_dead_calls", "Calls that Stripe refused and that a person must look at.")
STRIPE_EVENT_AGE = Gauge("speech_stripe_oldest_event_seconds", "The age of the oldest event without its effect.")
STRIPE_DEAD_EVENTS = Gauge("speech_stripe_dead_events", "Events whose effect failed too often.")
STRIPE_DIFFERENCES = Gauge("speech_stripe_differences", "Where Stripe's books and ours do not say the same.")


async def show(request: Request) -> Response:
    """Everything that is counted. To whom it is not shown it does not exist."""
    if not _may_see(request):
        raise not_found("There is no such route here.")
    await _read_last_proof(request.state.service)
    await _read_stripe(request.state.service)
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


async def _read_last_proof(service: Service) -> None:
    async with service.database.connection() as connection:
        last = await verification.last_proof(connection)
    if last is not None:
        drift, offenders, late_settlements, at = last
        DRIFT.set(float(drift))
        OFFENDERS.set(offenders)
        LATE_SETTLEMENTS.set(late_settlements)
        VERIFIED_AT.set(at.timestamp())


async def _read_stripe(service: Service) -> None:
    async with service.database.connection() as connection:
        waiting = await backlog.read(connection)
    STRIPE_CALL_AGE.set(waiting.oldest_call_seconds)
    STRIPE_DEAD_CALLS.set(waiting.dead_calls)
    STRIPE_EVENT_AGE.set(waiting.oldest_event_seconds)
    STRIPE_DEAD_EVENTS.set(waiting.dead_events)
    STRIPE_DIFFERENCES.set(waiting.differences)


def _may_see(request: Request) -> bool:
    """Whoever has METRICS_TOKEN; where there is none, whoever asks from this machine itself.

    A proxy on this machine asks for others, so what it forwards does not count as from here.
    """
    if token := settings.ENVIRONMENT.metrics_token:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    if any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via")):
        return False
    return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
