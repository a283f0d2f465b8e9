"""A load generator that costs little beside what it measures: keep-alive HTTP/1.1 on asyncio streams."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

LEAST = 2
"""Requests that a client sends at least: a percentile needs two."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of clients saw, each sending its next request as soon as it has its answer."""

    clients: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1] * 1000


def request_bytes(path: str, key: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def put_under_load(port: int, request: bytes | Sequence[bytes], *, clients: int, seconds: float) -> Load:
    """Send the request again and again; of several requests, each client has one."""
    requests = [request] if isinstance(request, bytes) else request
    return asyncio.run(_put_under_load(port, requests, clients, seconds))


async def _put_under_load(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    began = time.perf_counter()
    runs = await asyncio.gather(
        *(_client(port, requests[number % len(requests)], began + seconds) for number in range(clients))
    )
    return Load(clients, time.perf_counter() - began, [latency for run in runs for latency in run])


async def _client(port: int, request: bytes, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    latencies = []
    while (sent := time.perf_counter()) < until or len(latencies) < LEAST:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head.decode()}{body[:500]!r}")
        latencies.append(time.perf_counter() - sent)
    writer.close()
    return latencies
