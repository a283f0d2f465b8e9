"""The jobs that a worker has claimed and not yet ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from inference.engines.protocol import Generation
from inference.models import SynthesisJob
from inference.recording import Recording

Key: TypeAlias = tuple[UUID, int]
"""A job and the attempt at it: a job that was taken back may be here twice for a moment."""


@dataclass(slots=True)
class Work:
    """A job from its claim to its end; its worker's lease covers it all the while."""

    job: SynthesisJob
    generation: Generation | None = None
    recording: Recording | None = None
    begun: bool = False
    """Whether the database knows that its first audio is there."""
    cancelled: bool = False
    handed_over: bool = False
    """Whether it is cancelled only here, for another worker to go on with it."""

    def cancel(self) -> None:
        """Stop speaking it, now or as soon as it begins; its thread then ends it."""
        self.cancelled = True
        if self.generation is not None:
            self.generation.cancel()

    def hand_over(self) -> None:
        """Stop speaking it, so that another worker goes on with it."""
        self.handed_over = True
        self.cancel()

    def begin(self, generation: Generation) -> Generation:
        """Note what the engine was asked for, and cancel it if the job was cancelled before."""
        self.generation = generation
        if self.cancelled:
            generation.cancel()
        return generation

    @property
    def published(self) -> int:
        """The frames that this attempt has put on the job's stream."""
        return self.recording.published if self.recording else 0


class Works:
    """What a worker has in hand, for its threads."""

    def __init__(self) -> None:
        self._works: dict[Key, Work] = {}
        self._lock = threading.Lock()
        self._claiming = threading.Lock()
        """Held from a claim until its jobs are in hand."""

    def take(self, claim: Callable[[], Iterable[SynthesisJob]]) -> list[SynthesisJob]:
        """Claim jobs and have them in hand."""
        with self._claiming:
            claimed = list(claim())
            with self._lock:
                self._works.update({(job.id, job.attempt): Work(job) for job in claimed})
        return claimed

    def of(self, job: SynthesisJob) -> Work:
        with self._lock:
            return self._works[job.id, job.attempt]

    def remove(self, job: SynthesisJob) -> None:
        with self._lock:
            del self._works[job.id, job.attempt]

    def cancel(self, job_id: UUID) -> None:
        """Stop speaking the job, if it is in hand."""
        with self._lock:
            works = [work for (in_hand, _), work in self._works.items() if in_hand == job_id]
        for work in works:
            work.cancel()

    def now(self) -> dict[Key, Work]:
        with self._lock:
            return dict(self._works)

    def missing(self, claimed: Set[Key]) -> set[Key]:
        """Which of these are not in hand; while a claim is in flight, none, for they may be its own."""
        if not claimed or not self._claiming.acquire(blocking=False):
            return set()
        try:
            with self._lock:
                return set(claimed - self._works.keys())
        finally:
            self._claiming.release()
