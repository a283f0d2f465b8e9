"""Cancelling: how soon the engine learns that nobody wants a stream any more.

Clients open streams and cancel each by `DELETE` once its first audio is there. The engine notes when it was told
to stop: behind it are the request, its transaction, and the message to the worker.

Clients that begin a stream as soon as the last one has ended fill the machine, and then each waits for the others;
clients that begin one by the clock leave it room, and show what a cancel takes.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import httpx

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, TEXT, new_key
from tests.live import Service, running_service, wait_for

CLIENTS = budget.first_of(((1, 0.0), (8, 0.4), (8, 0.0)))
"""How many, and how often each begins a stream, in seconds; 0 for as soon as the last one has ended."""
CANCELS = budget.number(400, least=2)
PACE_SECONDS = 0.5
SLOTS = 16
SECONDS = 60
"""Of audio in a stream, which is cancelled long before."""
STREAM = {
    "model": "boson/higgs-audio-v2.5",
    "modalities": ["text", "audio"],
    "messages": [{"role": "user", "content": TEXT}],
    "audio": {"voice": "alloy", "format": "pcm16"},
    "stream": True,
}


def run() -> None:
    headers = {"authorization": f"Bearer {new_key()}"}
    print(
        f"{'clients':>8} {'cancels/s':>10} {'engine told after ms: p50':>26} {'p99':>6}"
        f" {'answered after ms: p50':>23} {'p99':>6}"
    )
    for clients, every_seconds in CLIENTS:
        with TemporaryDirectory() as folder:
            marks = Path(folder) / "marks"
            paced = {
                "ENGINE": "tests.benchmarks.engines.PacedEngine",
                "BENCH_SECONDS": str(SECONDS),
                "BENCH_CHUNK_SECONDS": str(PACE_SECONDS),
                "BENCH_MARKS": str(marks),
            }
            with running_service(Path(folder), concurrency=SLOTS, **paced, **NO_LIMITS) as service:
                began = time.time()
                asked = asyncio.run(_cancel_all(service, headers, clients, every_seconds))
                rate = len(asked) / (time.time() - began)
                stopped = wait_for(partial(_stopped, marks, len(asked)), what="the engine's marks")
        told = [(stopped[job] - sent) * 1000 for job, (sent, _) in asked.items()]
        answered = [(answer - sent) * 1000 for sent, answer in asked.values()]
        figures = rate, _p(told, 50), _p(told, 99), _p(answered, 50), _p(answered, 99)
        print("{:8} {:10.1f} {:26.1f} {:6.1f} {:23.1f} {:6.1f}".format(clients, *figures))


async def _cancel_all(
    service: Service, headers: dict[str, str], clients: int, every_seconds: float
) -> dict[str, tuple[float, float]]:
    """When each job's cancelling was asked for, and answered."""
    asked: dict[str, tuple[float, float]] = {}
    chance = random.Random(0)
    async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=60) as client:

        async def cancel_one() -> None:
            async with client.stream("POST", "/v1/chat/completions", json=STREAM) as answer:
                lines = answer.aiter_lines()
                name = await _first_audio(lines)
                sent = time.time()
                (await client.delete(f"/v1/chat/completions/{name}")).raise_for_status()
                asked[str(UUID(name.removeprefix("chatcmpl-")))] = sent, time.time()
                async for _ in lines:
                    pass

        async def cancel_some() -> None:
            loop = asyncio.get_running_loop()
            due = loop.time()
            for _ in range(-(-CANCELS // clients)):
                due += every_seconds * 2 * chance.random()  # by chance, as customers do: not all at once
                await asyncio.sleep(due - loop.time())
                await cancel_one()

        await asyncio.gather(*(cancel_some() for _ in range(clients)))
    return asked


async def _first_audio(lines: AsyncIterator[str]) -> str:
    """The completion's id, once audio of it is here. Raises RuntimeError: there is none."""
    async for line in lines:
        if line.startswith("data: {"):
            event = json.loads(line.removeprefix("data: "))
            if event["choices"][0]["delta"].get("audio", {}).get("data"):
                return str(event["id"])
    raise RuntimeError("no audio came")


def _stopped(marks: Path, jobs: int) -> dict[str, float]:
    """When the engine was told to stop, of so many jobs; nothing while some are missing."""
    told = {mark["id"]: mark["stopped"] for mark in map(json.loads, marks.read_text().splitlines())}
    return told if len(told) >= jobs else {}


def _p(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
