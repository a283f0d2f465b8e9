"""Whole requests: HTTP in, key, hold, job, queue, worker, audio, settlement, log, HTTP out.

Everything is on and on this machine, the load generator too. The gateway's share is what the request log counts
beyond the job's own queueing and synthesis: reading, authentication, admission, waking up, answering.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import call_command
from django.db.models import F, Sum

from tests.benchmarks.load import Load, put_under_load, request_bytes
from tests.live import Service, running_service

ENGINES = {
    "null": "tests.benchmarks.engines.NullEngine",
    "preview": "inference.preview.engine.PreviewEngine",
}
NO_LIMITS = {"REQUESTS_PER_MINUTE": "1000000", "AUDIO_SECONDS_PER_MINUTE": "100000000"}
CLIENTS = (1, 8, 32)
SECONDS = 6.0
WARM_UP_SECONDS = 1.0
TEXT = "The quick brown fox jumps over the lazy dog."


def run() -> None:
    from accounts import keys, organizations
    from billing import ledger
    from gateway.models import RequestLog

    call_command("migrate", verbosity=0)
    organization = organizations.create(name="Bench", owner_email="bench@example.com")
    ledger.grant(organization=organization, amount=Decimal(1_000_000), cause="bench")
    _, key = keys.create(organization=organization, name="bench")
    body = {
        "model": "boson/higgs-audio-v2.5",
        "modalities": ["text", "audio"],
        "messages": [{"role": "user", "content": TEXT}],
    }
    request = request_bytes("/v1/chat/completions", key, json.dumps(body).encode())
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
