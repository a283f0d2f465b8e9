"""The service on one page, in a fixed number of queries. The largest reads a month of rollups."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import redis
from django.conf import settings
from django.db.models import Count, F, Min, OuterRef, Q, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone

from accounts.identifiers import uuid7_floor
from accounts.models import Organization
from billing.models import Account, StripeCall, StripeEvent, Verification
from inference import presence
from inference.models import SynthesisJob
from usage.models import RequestLog, UsageRollup

MINUTES = 15
ERRORS_WITHIN = timedelta(hours=1)
ERRORS = 10
TOP = 5
_State = SynthesisJob.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number, its name, and whether it needs attention."""

    name: str
    value: str
    note: str = ""
    alarming: bool = False


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The index page's context (unfold's DASHBOARD_CALLBACK)."""
    now = timezone.now()
    workers = _workers()
    return context | {
        "figures": [*_work(now), *_traffic(now), *_money(now), *_health(now)],
        "workers": workers,
        "redis_is_away": workers is None,
        "customers": _customers(now),
        "failures": _failures(now),
    }


def _work(now: datetime) -> list[Figure]:
    # One state at a time: each has an index of its own, and a list of states has none on every plan.
    running = SynthesisJob.objects.filter(state=_State.RUNNING).count()
    waiting = SynthesisJob.objects.filter(state=_State.QUEUED).aggregate(
        number=Count("id"), oldest=Min("enqueued_at")
    )
    waited = (now - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0.0
    return [
        Figure(name="Running jobs", value=str(running)),
        Figure(
            name="Queued jobs",
            value=str(waiting["number"]),
            note=f"oldest {waited:.1f} s" if waiting["number"] else "",
            alarming=waited > 10,
        ),
    ]


def _traffic(now: datetime) -> list[Figure]:
    """The last minutes, and those before them to compare with."""
    # The key is a UUIDv7, so the last minutes are the end of its index.
    middle, first = (uuid7_floor(now - timedelta(minutes=ago)) for ago in (MINUTES, 2 * MINUTES))
    late, failed = Q(id__gte=middle), Q(status__gte=500)
    seen = RequestLog.objects.filter(id__gte=first).aggregate(
        requests=Count("id", filter=late),
        errors=Count("id", filter=late & failed),
        requests_before=Count("id", filter=~late),
        errors_before=Count("id", filter=~late & failed),
    )
    rate = {name: f"{number / MINUTES:.1f}" for name, number in seen.items()}
    return [
        Figure(
            name="Requests per minute",
            value=rate["requests"],
            note=f"last {MINUTES} minutes; {rate['requests_before']} in the {MINUTES} before",
        ),
        Figure(
            name="Server errors per minute",
            value=rate["errors"],
            note=f"{rate['errors_before']} in the {MINUTES} minutes before",
            alarming=seen["errors"] > 0,
        ),
    ]


def _money(now: datetime) -> list[Figure]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    sums = UsageRollup.objects.filter(period="day", start__gte=month).aggregate(
        month=Sum("cost", default=Decimal(0)),
        today=Sum("cost", filter=Q(start__gte=today), default=Decimal(0)),
    )
    over = Decimal((now - month) / timedelta(days=monthrange(now.year, now.month)[1]))
    return [
        Figure(name="Revenue today", value=f"${sums['today']:,.2f}"),
        Figure(
            name="Revenue this month",
            value=f"${sums['month']:,.2f}",
            note=f"${sums['month'] / over:,.2f} projected" if over else "",
        ),
    ]


def _health(now: datetime) -> list[Figure]:
    proof = Verification.objects.order_by("-at").first()
    # One state at a time: each has an index of its own, and the calls of all time are many more.
    oldest = StripeCall.objects.filter(state="pending").aggregate(oldest=Min("created_at"))["oldest"]
    dead = StripeCall.objects.filter(state="dead").count()
    age = now - oldest if oldest else timedelta(0)
    events = StripeEvent.objects.filter(state="dead").count()
    return [
        Figure(
            name="Ledger drift",
            value=f"${proof.drift}" if proof else "not verified yet",
            note=f"{proof.offenders} errors, verified {proof.at:%H:%M} UTC" if proof else "",
            alarming=bool(proof and proof.offenders),
        ),
        Figure(name="Failed webhooks", value=str(events), alarming=events > 0),
        Figure(
            name="Oldest pending Stripe call",
            value=f"{age.total_seconds() / 60:.0f} min",
            note=f"{dead} failed" if dead else "",
            alarming=bool(dead) or age > timedelta(hours=20),
        ),
        *_seller(),
    ]


def _seller() -> list[Figure]:
    """A warning where invoices would be issued without their seller's address."""
    if settings.COMPANY_ADDRESS:
        return []
    return [Figure(name="Seller's address", value="Missing", note="Set COMPANY_ADDRESS: invoices need it.")]


def _failures(now: datetime) -> list[dict[str, Any]]:
    """The newest requests that failed on our side, with the names of their customers."""
    customer = Organization.objects.filter(id=OuterRef("organization_id")).values("name")
    failed = RequestLog.objects.filter(id__gte=uuid7_floor(now - ERRORS_WITHIN), status__gte=500).order_by("-id")
    shown = ("id", "created_at", "method", "route", "status", "error_code")
    return [dict(row) for row in failed.values(*shown, customer=Subquery(customer))[:ERRORS]]


def _customers(now: datetime) -> list[dict[str, Any]]:
    """The customers who spent most this month."""
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    spent = (
        UsageRollup.objects.filter(period="day", start__gte=month)
        .values("organization_id")
        .annotate(cost=Sum("cost"), requests=Sum("requests"))
        .order_by("-cost")[:TOP]
    )
    found = {row["organization_id"]: row for row in spent}
    names = dict(Organization.objects.filter(id__in=found).values_list("id", "name"))
    left = dict(
        Account.objects.filter(organization__in=found).values_list(
            "organization_id", F("balance") + F("credit_limit") - F("held")
        )
    )
    return [row | {"name": names.get(id, id), "left": left.get(id)} for id, row in found.items()]


def _workers() -> list[dict[str, Any]] | None:
    """The live workers, as they report to Redis; None if Redis is unavailable."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1) as client:
            living = presence.living(client)
    except redis.RedisError:
        return None
    return [worker | {"utilisation": 100 * worker["running"] // worker["slots"]} for worker in living]
