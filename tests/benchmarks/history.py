"""Scheduled and per-request statements, over one ended request and over 10 million.

An act is a function that the service calls (`tests.past`), with all its statements. Each is undone after it, and
the fastest of some rounds counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from django.core.management import call_command
from django.db import connection, transaction

from tests import history
from tests import past as pasts
from tests.benchmarks import budget
from tests.past import BY_REQUEST, BY_THE_CLOCK, Past

ROUNDS = 7
REQUESTS = budget.number(10_000_000, least=200)


def run() -> None:
    """Print the milliseconds of each act over either past, and how many times as long the long one takes."""
    call_command("migrate", verbosity=0)
    short = _times(pasts.make(email="short@example.com", jobs_alone=1, requests=1, asked_alike=1))
    began = time.perf_counter()
    requests = REQUESTS
    alike = requests // 100
    long_past = pasts.make(email="long@example.com", jobs_alone=1, requests=requests - alike, asked_alike=alike)
    with connection.cursor() as cursor:
        for table in history.EVERYTHING:
            cursor.execute(f"VACUUM {table}")
    print(f"{requests:,} ended requests made in {time.perf_counter() - began:.0f} s\n")
    long = _times(long_past)
    print(f"{'':20} {1:>12} {requests:>12,} ms {'ratio':>6}")
    for name, milliseconds in long.items():
        print(f"{name:20} {short[name]:12.2f} {milliseconds:12.2f}    {milliseconds / short[name]:6.1f}")
    sys.stdout.flush()


def _times(past: Past) -> dict[str, float]:
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
