"""One hour of audio in one request: how soon it begins, and what the worker and the gateway hold of it.

The engine costs nothing and makes a second of audio every few ms. The memory is the most that the process
has held since the request began, beyond what it held before.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.benchmarks import budget
from tests.benchmarks.customers import NO_LIMITS, new_key
from tests.live import Service, running_service

SENTENCE = "It was a dark and stormy night; the rain fell in torrents. "
SECONDS = (60, round(budget.seconds(3600.0)))
SECONDS_OF_WORK_PER_SECOND = 0.01


def run() -> None:
    key = new_key()
    print(f"{'audio':>8} {'answer':>10} {'first audio ms':>15} {'whole s':>8} {'gateway MB':>11} {'worker MB':>9}")
    for seconds in SECONDS:
        with TemporaryDirectory() as folder:
            environment = {
                "ENGINE": "tests.benchmarks.engines.HastyEngine",
                "BENCH_SECONDS": str(seconds),
                "BENCH_CHUNK_SECONDS": str(SECONDS_OF_WORK_PER_SECOND),
                "INPUT_CHARACTERS": "100000",
                **NO_LIMITS,
            }
            with running_service(Path(folder), **environment) as service:
                for streamed in (True, False):
                    _measure(service, key, seconds, streamed=streamed)


def _measure(service: Service, key: str, seconds: int, *, streamed: bool) -> None:
    request = {
        "model": "boson/higgs-audio-v2.5",
        "modalities": ["text", "audio"],
        "messages": [{"role": "user", "content": (SENTENCE * 1700)[:99_000]}],
        "stream": streamed,
    }
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    processes = [part.pid for part in (service.gateway, service.worker) if part]
    before = [_memory(pid, "VmRSS") for pid in processes]
    for pid in processes:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak
    began, first = time.monotonic(), 0.0
    url = f"{service.url}/v1/chat/completions"
    with httpx.stream("POST", url, content=json.dumps(request), headers=headers, timeout=600) as answer:
        answer.raise_for_status()
        for piece in answer.iter_raw():
            if not first and len(piece) > 1000:
                first = time.monotonic() - began
    whole = time.monotonic() - began
    grown = [_memory(pid, "VmHWM") - held for pid, held in zip(processes, before, strict=True)]
    print(
        f"{seconds:6} s {'streamed' if streamed else 'whole':>10} {first * 1000:15.0f} {whole:8.1f}"
        f" {grown[0]:11.1f} {grown[1]:9.1f}",
        flush=True,
    )


def _memory(pid: int, which: str) -> float:
    """Megabytes."""
    return int(Path(f"/proc/{pid}/status").read_text().partition(f"{which}:")[2].split()[0]) / 1024
