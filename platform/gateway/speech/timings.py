"""Where a request's time went, as `Server-Timing` says it (https://www.w3.org/TR/server-timing/)."""

from __future__ import annotations

import time

from inference.results import Result


class Timings:
    """Milliseconds by step, up to the beginning of the answer."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._steps: dict[str, float] = {}

    def mark(self, step: str, *, before_ms: float = 0.0) -> None:
        """The step ended so long before now, and began where the one before it ended."""
        now = max(self._last, time.perf_counter() - before_ms / 1000)
        self._steps[step] = (now - self._last) * 1000
        self._last = now

    def take(self, result: Result) -> None:
        """What the worker measured."""
        measured = {"queue": result.queue_ms, "synthesis": result.synthesis_ms, "encode": result.encode_ms}
        self._steps |= {step: taken for step, taken in measured.items() if taken is not None}

    def __str__(self) -> str:
        return ", ".join(f"{step};dur={taken:.1f}" for step, taken in self._steps.items())
