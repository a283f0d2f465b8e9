"""Scheduled and per-request statements, over no ended requests and over 10 million.

An act is a function that the service calls (`tests.past`), with all its statements. Each is undone after it, and
the fastest of some rounds counts. What is alive is the same both times: one queued and one running job, and a
thousand requests in the last half hour, since sweep and roll-ups cost what they find to do.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from billing.models import Reservation
from inference.models import SynthesisJob, Worker
from tests import history
from tests import past as pasts
from tests.benchmarks import budget
from tests.past import BY_REQUEST, BY_THE_CLOCK, Past

ROUNDS = 15
LIVE = budget.number(1_000, least=10)
"""Requests of the last half hour, which the roll-ups sum up."""
REQUESTS = budget.number(10_000_000, least=200)
BEFORE = timedelta(hours=2)
"""How long ago the history ended: the hours that are summed up have nothing of it."""


def run() -> None:
    """Print the milliseconds of each act over either past, and how many times as long the long one takes."""
    short = _times(_past("short"))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(history.EVERYTHING)} CASCADE")
    began = time.perf_counter()
    past = _past("long", requests=REQUESTS)
    print(f"{REQUESTS:,} ended requests made in {time.perf_counter() - began:.0f} s\n")
    long = _times(past)
    print(f"{'':20} {0:>12} {REQUESTS:>12,} ms {'ratio':>6}")
    for name, milliseconds in long.items():
        print(f"{name:20} {short[name]:12.2f} {milliseconds:12.2f}    {milliseconds / short[name]:6.2f}")
    sys.stdout.flush()


def _past(name: str, *, requests: int = 0) -> Past:
    """A customer of so many ended requests, and what is alive: made last, since it ages meanwhile."""
    past = pasts.make(email=f"{name}@example.com", jobs_alone=1, requests=1, asked_alike=1)
    of: dict[str, Any] = {"organizations": [past.organization.pk], "keys": [past.key.pk]}
    if requests:
        alike = requests // 100
        history.make(requests - alike, over=timedelta(days=30), until=BEFORE, **of)
        history.make(
            alike, over=timedelta(hours=22), until=BEFORE, tables=history.JOBS, fingerprint=past.fingerprint, **of
        )
    history.make(LIVE, over=timedelta(minutes=30), **of)
    return past


def _keep_alive(past: Past) -> None:
    """Have the queued job wait for longer than a second ring takes, and nothing of what is alive be late."""
    now = timezone.now()
    soon = now + timedelta(hours=1)
    SynthesisJob.objects.filter(id=past.queued).update(enqueued_at=now - timedelta(minutes=1), deadline_at=soon)
    SynthesisJob.objects.filter(id=past.running).update(deadline_at=soon)
    Worker.objects.update(lease_expires_at=soon)
    Reservation.objects.filter(state=Reservation.State.PENDING).update(expires_at=soon)
    with connection.cursor() as cursor:
        for table in history.EVERYTHING:
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def _times(past: Past) -> dict[str, float]:
    _keep_alive(past)
    return {name: _milliseconds(act, past) for name, act in (BY_THE_CLOCK | BY_REQUEST).items()}


def _milliseconds(act: Callable[[Past], object], past: Past) -> float:
    rounds = []
    for _ in range(ROUNDS):
        with transaction.atomic():
            began = time.perf_counter()
            act(past)
            rounds.append(time.perf_counter() - began)
            transaction.set_rollback(True)
    return min(rounds) * 1000
