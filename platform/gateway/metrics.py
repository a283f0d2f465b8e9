"""GET /metrics, for Prometheus: this process's counters, and what the last proof of the books found."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response

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
        cursor = await connection.execute(
            """
            SELECT drift, offenders, late_settlements, extract(epoch FROM at)
            FROM billing_verification ORDER BY at DESC LIMIT 1
            """
        )
        if (last := await cursor.fetchone()) is not None:
            for gauge, value in zip((DRIFT, OFFENDERS, LATE_SETTLEMENTS, VERIFIED_AT), last, strict=True):
                gauge.set(float(value))


async def _read_stripe(service: Service) -> None:
    async with service.database.connection() as connection:
        cursor = await connection.execute(
            """
            SELECT
                (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)
                 FROM billing_stripecall WHERE state = 'pending'),
                (SELECT count(*) FROM billing_stripecall WHERE state = 'dead'),
                (SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)
                 FROM billing_stripeevent WHERE state = 'pending'),
                (SELECT count(*) FROM billing_stripeevent WHERE state = 'dead'),
                (SELECT count(*) FROM billing_stripedifference WHERE state = 'open')
            """
        )
        values = await cursor.fetchone()
        assert values is not None  # noqa: S101 - a SELECT of values has one row
        gauges = (STRIPE_CALL_AGE, STRIPE_DEAD_CALLS, STRIPE_EVENT_AGE, STRIPE_DEAD_EVENTS, STRIPE_DIFFERENCES)
        for gauge, value in zip(gauges, values, strict=True):
            gauge.set(float(value))


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
