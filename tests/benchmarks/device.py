"""Runs the parts of a measurement on a CUDA device one by one, and knows how fast the device is."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


class Session:
    """The parts that have run: which failed, and how much time is left."""

    def __init__(self, minutes: float) -> None:
        self._began, self._seconds = time.perf_counter(), 60 * minutes
        self.failed: list[str] = []

    @property
    def over(self) -> bool:
        return time.perf_counter() - self._began > self._seconds

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Announce a part, and print what it raises. To be entered unless `over`."""
        say(f"\n## {name} ({time.perf_counter() - self._began:.0f} s)")
        try:
            yield
        except Exception:
            self.failed.append(name)
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()

    def check(self, good: bool, what: str) -> None:
        if not good:
            self.failed.append(what)
            say(f"WRONG: {what}")


def say(line: str) -> None:
    print(line, flush=True)


def device_seconds(work: Callable[[], object], repeats: int = 20) -> float:
    """Seconds of one `work` on the device, without its launches: it is repeated in a CUDA graph."""
    work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(repeats):
            work()
    graph.replay()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    graph.replay()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000 / repeats


def measure_device() -> tuple[float, float]:
    """Bytes/s of memory and FLOP/s in bfloat16 that the device reaches."""
    source = torch.empty(2**31, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    memory = 2 * source.numel() / device_seconds(lambda: target.copy_(source))
    a, b = torch.randn(2, 8192, 8192, device="cuda", dtype=torch.bfloat16)
    arithmetic = 2 * 8192**3 / device_seconds(lambda: a @ b)
    say(f"memory {memory / 1e12:.2f} TB/s, bfloat16 products {arithmetic / 1e12:.0f} TFLOP/s")
    return memory, arithmetic
