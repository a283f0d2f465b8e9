"""How fast a worker speaks: what it finished lately, against the clock."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 60


class Pace:
    """The jobs of the last minute. Threads add, the keeper reads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: deque[tuple[float, float, float]] = deque()

    def add(self, *, audio_seconds: float, synthesis_seconds: float) -> None:
        """Note a finished job: how long its audio is, and how long it took from the claim."""
        with self._lock:
            self._jobs.append((self._clock(), audio_seconds, synthesis_seconds))

    def read(self) -> tuple[float, float | None]:
        """(seconds of audio made in the last minute, a job's real-time factor).

        The real-time factor is the time to make audio over the length of it, of all jobs together: below 1 a
        listener never waits. None where nothing was made.
        """
        since = self._clock() - WINDOW_SECONDS
        with self._lock:
            while self._jobs and self._jobs[0][0] < since:
                self._jobs.popleft()
            audio = sum(job[1] for job in self._jobs)
            took = sum(job[2] for job in self._jobs)
        return audio, (took / audio if audio else None)
