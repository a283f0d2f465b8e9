"""Whole requests: HTTP in, key, hold, job, queue, worker, audio, settlement, log, HTTP out.

Everything is on and on this machine, the load generator too. The gateway's share is what the request log counts
beyond the job's own queueing and synthesis: reading, authentication, admission, waking up, answering. The last
columns are the processor's milliseconds for one request, by part; with the null engine nothing of them is the
model's. `hot` clients are all of one organization, so that all want the row of one account; of the others each is
of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db.models import F, Sum

from tests.benchmarks import budget, processor
from tests.benchmarks.customers import NO_LIMITS, chat, new_key
from tests.benchmarks.load import put_under_load
from tests.live import Service, running_service

ENGINES = {
    "null": ("tests.benchmarks.engines.NullEngine", budget.first_of((1, 8, 32, 64))),
    "preview": ("inference.engines.preview.engine.PreviewEngine", budget.first_of((1, 8))),
}
SECONDS = budget.seconds(6.0)
WARM_UP_SECONDS = budget.seconds(1.0)


def run() -> None:
    most = max(clients for _, sizes in ENGINES.values() for clients in sizes)
    apart = [chat(new_key()) for _ in range(most)]
    print(
        f"{'engine':8} {'clients':>11} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'gateway':>8}  "
        + " ".join(f"{part:>8}" for part in processor.PARTS)
        + f" {'all':>8}"
    )
    for name, (engine, sizes) in ENGINES.items():
        with TemporaryDirectory() as folder, running_service(Path(folder), ENGINE=engine, **NO_LIMITS) as service:
            for clients in sizes:
                _measure(f"{name:8} {clients:11}", service, apart, clients)
            if name == "null":
                _measure(f"{name:8} {f'{sizes[-1]} hot':>11}", service, apart[:1], sizes[-1])


def _measure(name: str, service: Service, requests: Sequence[bytes], clients: int) -> None:
    from usage.models import RequestLog

    put_under_load(service.port, requests, clients=clients, seconds=WARM_UP_SECONDS)
    before = processor.seconds(service)
    load = put_under_load(service.port, requests, clients=clients, seconds=SECONDS)
    cost = processor.milliseconds_each(before, processor.seconds(service), requests=len(load.latencies))
    time.sleep(1)  # the log is written behind the answers
    rows = RequestLog.objects.order_by("-id")[: len(load.latencies)]
    total, job = rows.aggregate(t=Sum("total_ms"), j=Sum(F("queue_ms") + F("synthesis_ms"))).values()
    print(
        f"{name} {load.rate:8.1f} {load.percentile(50):8.1f} {load.percentile(99):8.1f}"
        f" {1 - job / max(total, 1):8.0%}  "
        + " ".join(f"{cost[part]:8.2f}" for part in processor.PARTS)
        + f" {sum(cost.values()):8.2f}"
    )
    sys.stdout.flush()
