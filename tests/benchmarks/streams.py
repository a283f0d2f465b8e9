"""Streams: how soon the first audio is out, and whether 500 at once keep the engine's cadence.

The engine speaks in real time and notes when it made each chunk; a client on the same machine notes when each
delta came. What the engine itself was late is in both figures of a gap.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, chat, new_key
from tests.live import Service, running_service

PACE_SECONDS = 1.0
STREAMS = sorted({1, budget.number(8), budget.number(500)})
LENGTH_SECONDS = max(2 * PACE_SECONDS, budget.seconds(20.0))
SHORT_SECONDS = max(2 * PACE_SECONDS, budget.seconds(3.0))
SPREAD_SECONDS = budget.seconds(10.0)
"""Over which the streams begin."""
PCM16 = {"audio": {"voice": "alloy", "format": "pcm16"}, "stream": True, "max_completion_tokens": 1000}


@dataclass(frozen=True, slots=True)
class Heard:
    job_id: str
    at: list[float]
    """When each audio delta came."""
    whole: bool


def run() -> None:
    most = STREAMS[-1]
    request = chat(new_key(), **PCM16)
    print(f"{'':8} {'first audio ms':>16} {'gap ms':>16} {'at the engine':>17}")
    print(f"{'streams':>8}{'  p50     p99':>17}{'  p50     p99':>17}{'  p50     p99':>18} ratio  gateway's MB")
    for streams in STREAMS:
        with TemporaryDirectory() as folder:
            marks = Path(folder) / "marks"
            paced = {
                "ENGINE": "tests.benchmarks.engines.PacedEngine",
                "BENCH_SECONDS": str(LENGTH_SECONDS if streams == most else SHORT_SECONDS),
                "BENCH_CHUNK_SECONDS": str(PACE_SECONDS),
                "BENCH_MARKS": str(marks),
            }
            with running_service(Path(folder), concurrency=most, **paced, **NO_LIMITS) as service:
                _print(service, request, streams, marks)


def _print(service: Service, request: bytes, streams: int, marks: Path) -> None:
    asyncio.run(_listen_all(service.port, request, 1, spread=0))
    idle = _megabytes(service)
    sizes: list[float] = []
    watched = _watched(lambda: sizes.append(_megabytes(service)))
    heard = asyncio.run(_listen_all(service.port, request, streams, spread=SPREAD_SECONDS, watched=watched))
    time.sleep(budget.seconds(2))
    made = {mark["id"]: mark["made"] for mark in map(json.loads, marks.read_text().splitlines())}
    lost = [one for one in heard if not one.whole or len(one.at) != len(made[one.job_id])]
    first = [(one.at[0] - made[one.job_id][0]) * 1000 for one in heard if one.at]
    gaps, engines = _gaps(one.at for one in heard), _gaps(made[one.job_id] for one in heard)
    print(
        f"{streams:8} {_p(first, 50):8.1f} {_p(first, 99):7.1f} {_p(gaps, 50):8.0f} {_p(gaps, 99):7.0f}"
        f" {_p(engines, 50):9.0f} {_p(engines, 99):7.0f} {_p(gaps, 99) / _p(engines, 99):5.2f}"
        f"  {idle:.0f} idle, {max(sizes):.0f} under load, {_megabytes(service):.0f} after; {len(lost)} not whole"
    )
    sys.stdout.flush()


async def _listen_all(
    port: int, request: bytes, streams: int, *, spread: float, watched: Callable[[], Awaitable[None]] | None = None
) -> list[Heard]:
    async def after(seconds: float) -> Heard:
        await asyncio.sleep(seconds)
        return await _listen(port, request)

    watching = asyncio.ensure_future(watched()) if watched else None
    heard = await asyncio.gather(*(after(number * spread / streams) for number in range(streams)))
    if watching:
        watching.cancel()
    return list(heard)


def _watched(look: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def watch() -> None:
        while True:
            look()
            await asyncio.sleep(0.5)

    return watch


async def _listen(port: int, request: bytes) -> Heard:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError((head + await reader.read(500)).decode())
    at: list[float] = []
    job_id, whole = "", False
    async for line in reader:
        if not job_id and line.startswith(b'data: {"id":"chatcmpl-'):
            job_id = line.partition(b"chatcmpl-")[2][:32].decode()
        if b'"audio":{"data":' in line:
            at.append(time.time())
        if line.startswith(b"data: [DONE]"):
            whole = True
            break
    writer.close()
    return Heard(f"{job_id[:8]}-{job_id[8:12]}-{job_id[12:16]}-{job_id[16:20]}-{job_id[20:]}", at, whole)


def _gaps(moments: Iterable[list[float]]) -> list[float]:
    return [(after - before) * 1000 for one in moments for before, after in pairwise(one)]


def _p(values: list[float], percent: int) -> float:
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _megabytes(service: Service) -> float:
    """What the gateway's process holds."""
    assert service.gateway
    return psutil.Process(service.gateway.pid).memory_info().rss / 2**20
