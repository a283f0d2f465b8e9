"""The wire: the gateway's own share of a request, a long answer, the servers it could run on, what it can take.

Everything is on: key, hold, queue, worker, settlement, log. The gateway's share is what a client waits beyond the
job's queueing and synthesis, so reading, authentication, admission, settlement and answering are in it. The floor
of the long answer is a program that sends as many bytes from memory through the same server.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, chat, new_key
from tests.benchmarks.load import Load, put_under_load
from tests.live import ROOT, Service, free_port, running_service, wait_for

NULL = {"ENGINE": "tests.benchmarks.engines.NullEngine", **NO_LIMITS}
SECONDS = budget.seconds(5.0)
REQUESTS = budget.number(350, least=5)
LONG_REQUESTS = budget.number(50, least=2)
ROUNDS = budget.number(3)
CLIENTS = budget.first_of((1, 8, 32))
MORE_CLIENTS = budget.first_of((1, 2, 3, 4, 6, 8, 12))
WARM_UP_SECONDS = budget.seconds(1)
REST_SECONDS = budget.seconds(5)
"""After which memory that is given back has been."""
LONG_SECONDS = 60
WARM_UP = budget.number(50)
"""Requests that do not count."""
LIMITS_MS = (10, 50, 100)
GRANIAN = (
    "-m", "granian", "--interface", "asgi", "--loop", "uvloop", "--no-ws", "--log-level", "error",
    "--host", "127.0.0.1", "--port", "PORT", "config.asgi:application",
)  # fmt: skip
_FROM_MEMORY = """
import sys
import uvicorn

body = b"x" * int(sys.argv[2])
start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}


async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send(start)
    await send({"type": "http.response.body", "body": body})


uvicorn.run(app, port=int(sys.argv[1]), http="httptools", log_level="error", lifespan="off", access_log=False)
"""


def run() -> None:
    key = new_key()
    with null_service() as service:
        _capacity(service, key)
        _share(service, key)
        _servers(service, key)
    _long_answer(key)


def _share(service: Service, key: str) -> None:
    """The median of one client's requests, by what the answers say of themselves."""
    heads = asyncio.run(_heads(service.port, chat(key), REQUESTS + WARM_UP))[WARM_UP:]
    parts = {name: statistics.median(head[name] for head in heads) for name in ("total", "queue", "synthesis")}
    own = [head["total"] - head["queue"] - head["synthesis"] for head in heads]
    print(
        f"one client, null engine: {parts['total']:.1f} ms, of which queue {parts['queue']:.0f} and synthesis"
        f" {parts['synthesis']:.0f}; the gateway's own share p50 {statistics.median(own):.1f} ms"
        f" ({statistics.median(own) / parts['total']:.0%}), p99 {statistics.quantiles(own, n=100)[98]:.1f}"
    )
    sys.stdout.flush()


async def _heads(port: int, request: bytes, number: int) -> list[dict[str, float]]:
    """Of each request the length of its answer, its milliseconds, and those that `server-timing` names."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    found = []
    for _ in range(number):
        sent = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        await reader.readexactly(length)
        took = (time.perf_counter() - sent) * 1000
        timing = head.partition("server-timing: ")[2].partition("\r\n")[0]
        marks = {name: float(value) for name, value in (part.strip().split(";dur=") for part in timing.split(","))}
        found.append({"total": took, "content-length": float(length), **marks})
    writer.close()
    return found


def _long_answer(key: str) -> None:
    """An answer of a minute's audio, as WAV in JSON, beside the same number of bytes from memory."""
    request = chat(key, audio={"voice": "alloy", "format": "wav"}, max_completion_tokens=LONG_SECONDS * 25)
    with null_service(BENCH_SECONDS=str(LONG_SECONDS)) as service:
        heads = asyncio.run(_heads(service.port, request, LONG_REQUESTS + 1))[1:]
        with _from_memory(int(heads[0]["content-length"])) as port:
            floor = put_under_load(port, request, clients=1, seconds=SECONDS).percentile(50)
    total = statistics.median(head["total"] for head in heads)
    own = statistics.median(head["total"] - head["queue"] - head["synthesis"] for head in heads)
    print(
        f"an answer of {LONG_SECONDS} s, {heads[0]['content-length'] / 2**20:.1f} MB: {total:.1f} ms, of which"
        f" {own:.1f} the gateway's, {own - floor:.1f} over moving the bytes ({floor:.1f} ms)"
    )
    sys.stdout.flush()


def _servers(service: Service, key: str) -> None:
    """Two gateways before one worker, in turn."""
    request = chat(key)
    with _process(*GRANIAN, port=(other := free_port())):
        loads: dict[tuple[str, int], list[Load]] = {}
        for _ in range(ROUNDS):
            for clients in CLIENTS:
                for server, port in (("uvicorn", service.port), ("granian", other)):
                    load = put_under_load(port, request, clients=clients, seconds=SECONDS / 2)
                    loads.setdefault((server, clients), []).append(load)
    for (server, clients), found in loads.items():
        rate, p50, p99 = (
            statistics.median(values)
            for values in zip(
                *((load.rate, load.percentile(50), load.percentile(99)) for load in found), strict=True
            )
        )
        print(f"{server:8} {clients:3} clients {rate:8.1f} requests/s, p50 {p50:6.1f}, p99 {p99:6.1f} ms")
    sys.stdout.flush()


def _capacity(service: Service, key: str) -> None:
    """The most requests a second for each limit of the 99th percentile, and what the processes hold."""
    request = chat(key)
    put_under_load(service.port, request, clients=1, seconds=WARM_UP_SECONDS)
    idle = _megabytes(service)
    loads = [put_under_load(service.port, request, clients=n, seconds=SECONDS) for n in MORE_CLIENTS]
    under = _megabytes(service)
    time.sleep(REST_SECONDS)
    after = _megabytes(service)
    for limit in LIMITS_MS:
        best = max(
            (load for load in loads if load.percentile(99) <= limit), key=lambda load: load.rate, default=None
        )
        found = f"{best.rate:.0f} requests/s with {best.clients} clients" if best else "not even one client"
        print(f"p99 <= {limit:3} ms: {found}")
    for part, *sizes in zip(("gateway", "worker"), idle, under, after, strict=True):
        print("{}: {:.0f} MB idle, {:.0f} under load, {:.0f} after".format(part, *sizes))
    sys.stdout.flush()


@contextmanager
def null_service(**environment: str) -> Iterator[Service]:
    with TemporaryDirectory() as folder, running_service(Path(folder), **NULL, **environment) as service:
        put_under_load(service.port, chat(new_key()), clients=8, seconds=WARM_UP_SECONDS)
        yield service


@contextmanager
def _from_memory(length: int) -> Iterator[int]:
    """A program under the gateway's server that answers everything with so many bytes; its port."""
    port = free_port()
    with _process("-c", _FROM_MEMORY, str(port), str(length), port=port):
        yield port


@contextmanager
def _process(*arguments: str, port: int) -> Iterator[None]:
    given = [str(port) if argument == "PORT" else argument for argument in arguments]
    environment = {**os.environ, **NULL, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    process = subprocess.Popen([sys.executable, *given], cwd=ROOT, env=environment)
    try:
        wait_for(lambda: _listens(port), seconds=30, what="it listens")
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _megabytes(service: Service) -> tuple[float, float]:
    """What the gateway's and the worker's process hold."""
    assert service.gateway
    assert service.worker
    return tuple(psutil.Process(part.pid).memory_info().rss / 2**20 for part in (service.gateway, service.worker))
