"""What the host keeps of each slot: arrays, which a step updates as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inference.engines.higgs.runners import Packed
from inference.engines.protocol import Codes

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class BatchStep:
    """A step of some slots, as it is launched."""

    slots: Numbers
    epochs: Numbers
    furthest: int
    """The position of the slot that is furthest."""
    candidates: int
    """How many tokens the widest choice has; 0 where one is of all."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A slot whose stream is to be looked at after a step."""

    slot: int
    flags: int
    count: int
    """The frames of its sentence, the step's own included."""


class Slots:
    """The slots of one batch: which are free, and how far the streams are that hold the others."""

    def __init__(self, slots: int, *, length: int, codebooks: int) -> None:
        self._codebooks = codebooks
        self._free = list(range(slots))
        self._frames = np.empty((slots, length, codebooks), np.int16)
        self._count = np.zeros(slots, np.int64)
        """The frame of the sentence that the next row completes; less than 0 at its beginning."""
        self._due = np.zeros(slots, np.int64)
        """The number of frames at which the stream is to be looked at."""
        self._epoch = np.zeros(slots, np.int64)
        """Raised whenever a slot begins something else: rows of a step launched before are not its own."""
        self._position = np.zeros(slots, np.int64)
        self._top_k = np.zeros(slots, np.int64)

    @property
    def free(self) -> bool:
        """Whether any is free."""
        return bool(self._free)

    def take(self) -> int:
        return self._free.pop()

    def release(self, slot: int) -> None:
        self.renew(slot)
        self._free.append(slot)
        self._free.sort(reverse=True)  # the lowest is taken first: slots in use stay together

    def renew(self, slot: int) -> None:
        """The slot begins something else."""
        self._epoch[slot] += 1

    def start(self, slot: int, *, position: int, top_k: int, rows: int, due: int) -> None:
        """The slot takes part in steps from now on.

        Args:
            position: tokens read so far.
            rows: rows of the sentence that were read with them.
        """
        self._position[slot], self._top_k[slot] = position, top_k
        self._count[slot] = rows - self._codebooks
        self._due[slot] = due

    def look_at(self, slot: int, *, due: int) -> None:
        """Have the slot marked once its sentence has so many frames."""
        self._due[slot] = due

    def step(self, slots: list[int]) -> BatchStep:
        """Advance these by one position."""
        at = np.array(slots)
        self._position[at] += 1
        top_k = self._top_k[at]
        candidates = 0 if (top_k <= 0).any() else int(top_k.max())
        return BatchStep(at, self._epoch[at], int(self._position[at].max()), candidates)

    def keep(self, step: BatchStep, rows: Packed) -> Iterator[Mark]:
        """Keep the frames that a step's rows complete; the slots whose streams are to be looked at.

        A row belongs to the stream that has the slot now only if the slot has begun nothing else since the launch,
        which its epoch shows. Other rows are dropped.
        """
        current = self._epoch[step.slots] == step.epochs
        slots, rows = step.slots[current], rows[current]
        frames, flags = rows[:, :-1], rows[:, -1]
        number = self._count[slots]
        complete = number >= 0  # the delay pattern's first rows complete no frame
        self._frames[slots[complete], number[complete]] = frames[complete]
        counts = number + 1
        self._count[slots] = counts
        for row in np.flatnonzero((flags != 0) | (counts >= self._due[slots])):
            yield Mark(int(slots[row]), int(flags[row]), int(counts[row]))

    def count(self, slot: int) -> int:
        """The frames of the slot's sentence; less than 0 at its beginning."""
        return int(self._count[slot])

    def frames(self, slot: int, begin: int, end: int) -> Codes:
        return self._frames[slot, begin:end]
