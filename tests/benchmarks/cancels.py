"""Cancelling: how soon the engine learns that nobody wants a stream any more.

Clients open streams and cancel each by `DELETE` once its first audio is there. The engine notes when it was told
to stop: behind it are the request, its transaction, and the message to the worker.
"""

from __future__ import annotations

import asyncio
import json
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

CLIENTS = budget.first_of((1, 8))
CANCELS = budget.number(400, least=2)
PACE_SECONDS = 0.5
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
    print(f"{'clients':>8} {'engine told after ms: p50':>26} {'p99':>6} {'answered after ms: p50':>23} {'p99':>6}")
    for clients in CLIENTS:
        with TemporaryDirectory() as folder:
            marks = Path(folder) / "marks"
            paced = {
                "ENGINE": "tests.benchmarks.engines.PacedEngine",
                "BENCH_SECONDS": str(SECONDS),
                "BENCH_CHUNK_SECONDS": str(PACE_SECONDS),
                "BENCH_MARKS": str(marks),
            }
            with running_service(Path(folder), concurrency=2 * max(CLIENTS), **paced, **NO_LIMITS) as service:
                asked = asyncio.run(_cancel_all(service, headers, clients))
                stopped = wait_for(partial(_stopped, marks, len(asked)), what="the engine's marks")
        told = [(stopped[job] - sent) * 1000 for job, (sent, _) in asked.items()]
        answered = [(answer - sent) * 1000 for sent, answer in asked.values()]
        figures = _p(told, 50), _p(told, 99), _p(answered, 50), _p(answered, 99)
        print("{:8} {:26.1f} {:6.1f} {:23.1f} {:6.1f}".format(clients, *figures))


async def _cancel_all(service: Service, headers: dict[str, str], clients: int) -> dict[str, tuple[float, float]]:
    """When each job's cancelling was asked for, and answered."""
    asked: dict[str, tuple[float, float]] = {}
    async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=60) as client:

        async def cancel_some() -> None:
            for _ in range(-(-CANCELS // clients)):
                async with client.stream("POST", "/v1/chat/completions", json=STREAM) as answer:
                    lines = answer.aiter_lines()
                    name = await _first_audio(lines)
                    sent = time.time()
                    (await client.delete(f"/v1/chat/completions/{name}")).raise_for_status()
                    asked[str(UUID(name.removeprefix("chatcmpl-")))] = sent, time.time()
                    async for _ in lines:
                        pass

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
