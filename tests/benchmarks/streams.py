"""Streams: how soon the first audio is out, and whether 500 at once keep the engine's cadence.

The engine speaks in real time and notes when it made each chunk; a client on the same machine notes when each
delta came. What the engine itself was late is in both figures of a gap.

BENCH_STREAMS says how many at once (8,500), BENCH_STREAM_WORKERS how many worker processes share them (1), and
BENCH_STREAM_CHUNK how many seconds of audio a chunk has (1).
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from uuid import UUID

import psutil

from tests.benchmarks import budget, processor
from tests.benchmarks.customers import NO_LIMITS, TEXT, chat, new_key
from tests.live import Service, running_service

PACE_SECONDS = float(os.environ.get("BENCH_STREAM_CHUNK", "1"))
WORKERS = int(os.environ.get("BENCH_STREAM_WORKERS", "1"))
MOST = tuple(map(int, os.environ.get("BENCH_STREAMS", "8,500").split(",")))
STREAMS = sorted({1, *(budget.number(streams) for streams in MOST)})
SPREAD_SECONDS = budget.seconds(max(10.0, MOST[-1] / 50))
"""Over which the streams begin: to begin one costs as much as some seconds of it, which are measured."""
LENGTH_SECONDS = max(2 * PACE_SECONDS, 2 * SPREAD_SECONDS)
"""So that all of them speak at once for a while."""
SHORT_SECONDS = max(2 * PACE_SECONDS, budget.seconds(3.0))
_ID, _AUDIO, _DONE = b"chatcmpl-", b'{"data":"', b"data: [DONE]"
"""What an event has: the job's id; audio; the end."""
NO_AUDIO = b'"'
"""What follows where the audio of an event is empty: it tells when it expires."""
FIRST_TOKENS = 25
"""Of the request before those that count."""
LAST_BYTES = 400
"""The end and the trailers behind it are no longer."""
PCM16 = {
    "audio": {"voice": "alloy", "format": "pcm16"},
    "stream": True,
    "max_completion_tokens": round(50 * max(20.0, LENGTH_SECONDS)),
    # It takes about as long to speak as the engine speaks: where it took less, each stream's hold would be raised.
    "messages": [{"role": "user", "content": " ".join([TEXT] * round(max(20.0, LENGTH_SECONDS) / 2))}],
}


@dataclass(frozen=True, slots=True)
class Heard:
    job_id: str
    at: list[float]
    """When each audio delta came."""
    whole: bool


def run() -> None:
    key = new_key()
    request, first = chat(key, **PCM16), chat(key, **{**PCM16, "max_completion_tokens": FIRST_TOKENS})
    print(
        f"{'':8}{'first audio ms':>16}{'later than made ms':>20}{'gap ms':>16}{'at the engine':>18}{'':6}"
        " processor ms a second of audio"
    )
    print(
        f"{'streams':>8}{'p50     p99':>16}{'p50     p99':>20}{'p50     p99':>16}{'p50     p99':>18} ratio "
        + " ".join(f"{part:>8}" for part in (*processor.PARTS, "clients"))
        + "  gateway's MB"
    )
    for streams in STREAMS:
        with TemporaryDirectory() as folder, ExitStack() as stack:
            marks = Path(folder) / "marks"
            environment = {
                "ENGINE": "tests.benchmarks.engines.PacedEngine",
                "BENCH_SECONDS": str(SHORT_SECONDS if streams == 1 else LENGTH_SECONDS),
                "BENCH_CHUNK_SECONDS": str(PACE_SECONDS),
                "BENCH_MARKS": str(marks),
                **NO_LIMITS,
            }
            slots = -(-STREAMS[-1] // WORKERS)
            workers = []
            for number in range(1, WORKERS):
                (part := Path(folder) / str(number)).mkdir()
                workers.append(Service(part, concurrency=slots, **environment))
                stack.callback(workers[-1].stop)
                workers[-1].start_worker()
            service = stack.enter_context(running_service(Path(folder), concurrency=slots, **environment))
            asyncio.run(_listen_all(service.port, first, 1, spread=0))
            _print(service, workers, request, streams, marks)


def _print(service: Service, workers: Sequence[Service], request: bytes, streams: int, marks: Path) -> None:
    idle = _megabytes(service)
    sizes: list[float] = []
    watched = _watched(lambda: sizes.append(_megabytes(service)))
    before = _processor_seconds(service, workers)
    heard = asyncio.run(_listen_all(service.port, request, streams, spread=SPREAD_SECONDS, watched=watched))
    after = _processor_seconds(service, workers)
    time.sleep(budget.seconds(2))
    made = {mark["id"]: mark["made"] for mark in map(json.loads, marks.read_text().splitlines())}
    lost = [one for one in heard if not one.whole or len(one.at) != len(made[one.job_id])]
    late = [_late(one.at, made[one.job_id]) for one in heard if one.at]
    first, later = [each[0] for each in late], [milliseconds for each in late for milliseconds in each]
    gaps, engines = _gaps(one.at for one in heard), _gaps(made[one.job_id] for one in heard)
    seconds = sum(len(one.at) for one in heard) * PACE_SECONDS
    print(
        f"{streams:8}{_p(first, 50):8.1f} {_p(first, 99):7.1f}{_p(later, 50):12.1f} {_p(later, 99):7.1f}"
        f"{_p(gaps, 50):8.0f} {_p(gaps, 99):7.0f}{_p(engines, 50):10.0f} {_p(engines, 99):7.0f}"
        f" {_p(gaps, 99) / _p(engines, 99):5.2f} "
        + " ".join(f"{(after[part] - before[part]) / seconds * 1000:8.2f}" for part in after)
        + f"  {idle:.0f} idle, {max(sizes):.0f} under load, {_megabytes(service):.0f} after; {len(lost)} not whole"
    )
    sys.stdout.flush()


def _processor_seconds(service: Service, workers: Sequence[Service]) -> dict[str, float]:
    own = psutil.Process().cpu_times()
    return {**processor.seconds(service, *workers), "clients": own.user + own.system}


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


class _Listener(asyncio.Protocol):
    """A client that looks for the marks of audio deltas and reads nothing else, so that it costs little."""

    def __init__(self, request: bytes) -> None:
        self.at: list[float] = []
        self.job_id = ""
        self.whole = False
        self.refusal = ""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._tail = b""
        """The end of what came, which may be the first part of a mark."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        if not self.job_id and _ID in data:
            self.job_id = data.partition(_ID)[2][:32].decode()
        elif not self.job_id:
            self.refusal = data.decode(errors="replace")
        self.at += [time.time()] * _audio_deltas(data)
        self._tail = data[-len(_AUDIO) :]
        if _DONE in data[-LAST_BYTES:]:
            self.whole = True
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set_result(None)


async def _listen(port: int, request: bytes) -> Heard:
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: _Listener(request), "127.0.0.1", port)
    await listener.closed
    if not listener.job_id:
        raise RuntimeError(listener.refusal)
    return Heard(str(UUID(listener.job_id)), listener.at, listener.whole)


def _audio_deltas(data: bytes) -> int:
    """How many begin there. To look for a single byte costs the clients a tenth of looking for the whole mark."""
    found, at = 0, -1
    while (at := data.find(b"{", at + 1)) >= 0:
        end = at + len(_AUDIO)
        found += data.startswith(_AUDIO, at) and data[end : end + 1] not in (b"", NO_AUDIO)
    return found


def _late(heard: list[float], made: list[float]) -> list[float]:
    """How many milliseconds after the engine had made it each chunk was here."""
    return [(at - when) * 1000 for at, when in zip(heard, made, strict=False)]


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
