"""Whole requests: HTTP in, key, hold, job, queue, worker, audio, settlement, log, HTTP out.

Everything is on and on this machine, the load generator too. The gateway's share is what the request log counts
beyond the job's own queueing and synthesis: reading, authentication, admission, waking up, answering.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db.models import F, Sum

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, chat, new_key
from tests.benchmarks.load import Load, put_under_load
from tests.live import Service, running_service

ENGINES = {
    "null": "tests.benchmarks.engines.NullEngine",
    "preview": "inference.engines.preview.engine.PreviewEngine",
}
CLIENTS = budget.first_of((1, 8, 32))
SECONDS = budget.seconds(6.0)
WARM_UP_SECONDS = budget.seconds(1.0)


def run() -> None:
    from usage.models import RequestLog

    request = chat(new_key())
    print(f"{'engine':8} {'clients':>7} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'gateway':>8}")
    for name, engine in ENGINES.items():
        with TemporaryDirectory() as folder, running_service(Path(folder), ENGINE=engine, **NO_LIMITS) as service:
            for clients in CLIENTS:
                load = _measure(service, request, clients)
                time.sleep(1)  # the log is written behind the answers
                rows = RequestLog.objects.order_by("-id")[: len(load.latencies)]
                total, job = rows.aggregate(t=Sum("total_ms"), j=Sum(F("queue_ms") + F("synthesis_ms"))).values()
                print(
                    f"{name:8} {clients:7} {load.rate:8.1f} {load.percentile(50):8.1f}"
                    f" {load.percentile(99):8.1f} {1 - job / max(total, 1):8.0%}"
                )
                sys.stdout.flush()


def _measure(service: Service, request: bytes, clients: int) -> Load:
    put_under_load(service.port, request, clients=clients, seconds=WARM_UP_SECONDS)
    return put_under_load(service.port, request, clients=clients, seconds=SECONDS)
