"""A minute of hostile requests: what the gateway answers, how much memory it takes, and how long others wait."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, new_key
from tests.live import Service, running_service
from tests.security.hostile_requests import Hostile, hostile_requests

SECONDS = budget.seconds(60.0)
SENDERS = 3
DIFFERENT = budget.number(300, least=10)
"""Requests, made beforehand: to make them is more work than to refuse them."""
LEAST = 2
"""Waits at least: a percentile needs two."""
WARM_UP_SECONDS = budget.seconds(5.0)


def run() -> None:
    key = new_key()
    requests = [*islice(hostile_requests(1), DIFFERENT)]
    with (
        TemporaryDirectory() as folder,
        running_service(Path(folder), ENGINE="tests.benchmarks.engines.NullEngine", **NO_LIMITS) as service,
    ):
        assert service.gateway is not None
        gateway = psutil.Process(service.gateway.pid)
        _send_for(WARM_UP_SECONDS, service, key, requests)
        before = gateway.memory_info().rss
        statuses, waits = _send_for(SECONDS, service, key, requests)
        after = gateway.memory_info().rss
    cuts = statistics.quantiles(waits, n=100)
    answered = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    print(f"{statuses.total()} requests, {answered}")
    for name, wait in (("p50", cuts[49]), ("p99", cuts[98]), ("max", max(waits))):
        print(f"/healthz meanwhile, {name}: {wait * 1000:.1f} ms")
    print(f"the gateway's memory: {before / 2**20:.0f} MiB, then {after / 2**20:.0f} MiB")


def _send_for(
    seconds: float, service: Service, key: str, requests: list[Hostile]
) -> tuple[Counter[int], list[float]]:
    """How often each status was answered, and the seconds that /healthz took meanwhile."""
    until = time.monotonic() + seconds
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def send(first: int) -> None:
        at = first
        while time.monotonic() < until:
            status, _ = requests[at % len(requests)].send(service.port, key)
            with lock:
                statuses[status] += 1
            at += SENDERS

    waits = []
    with ThreadPoolExecutor(SENDERS) as senders, httpx.Client(timeout=60) as client:
        running = [senders.submit(send, first) for first in range(SENDERS)]
        while time.monotonic() < until or len(waits) < LEAST:
            began = time.monotonic()
            client.get(f"{service.url}/healthz").raise_for_status()
            waits.append(time.monotonic() - began)
            time.sleep(0.02)
        for each in running:
            each.result()
    return statuses, waits
