"""The gateway under requests that nobody means well by; `python -m tests.benchmarks fuzz` does so for a minute."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import httpx
import psutil

from tests.conftest import Customer
from tests.live import Service
from tests.security.hostile_requests import Hostile, hostile_requests

REQUESTS = 200
MOST_GROWTH = 100 * 2**20
PATIENCE_SECONDS = 2.0
"""Generous, for a machine that does much else: what this looks for is a gateway that stands still."""


def test_each_gets_an_answer_and_others_are_served_meanwhile(service: Service, customer: Customer) -> None:
    assert service.gateway is not None
    memory = psutil.Process(service.gateway.pid)
    ended, waits = threading.Event(), []

    def look() -> None:
        with httpx.Client(timeout=30) as client:
            while not ended.wait(0.02):
                began = time.monotonic()
                assert client.get(f"{service.url}/healthz").status_code == 200
                waits.append(time.monotonic() - began)

    def send(hostile: Hostile) -> int:
        status, answer = hostile.send(service.port, customer.secret)
        if status not in (0, 200):
            assert json.loads(answer)["error"].keys() == {"message", "type", "param", "code"}, hostile.body[:200]
        return status

    requests = [*islice(hostile_requests(1), REQUESTS)]
    with ThreadPoolExecutor(1) as looking, ThreadPoolExecutor(4) as sending:
        watch = looking.submit(look)
        try:
            before = [send(hostile) for hostile in requests[:40]]
            resident = memory.memory_info().rss
            statuses = before + list(sending.map(send, requests[40:]))
        finally:
            ended.set()
        watch.result()
    assert set(statuses) <= {0, 200, 400, 401, 404, 413, 415, 422, 429}, sorted(set(statuses))
    assert statuses.count(200) > 5
    assert statuses.count(400) > 50
    assert memory.memory_info().rss - resident < MOST_GROWTH
    assert max(waits) < PATIENCE_SECONDS
