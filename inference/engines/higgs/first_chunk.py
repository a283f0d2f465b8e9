"""How long a first chunk is: as short as the pace of the steps allows without a gap after it."""

from __future__ import annotations

import numpy as np

from inference.engines.protocol import FRAME_RATE

FIRST_FRAMES = 4
LAST_FRAMES = 25
"""A chunk's length at first, and at most."""
MARGIN = 1.5
"""How much slower a step may become before a listener hears a gap."""


class StepClock:
    """A running mean of the time from one step to the next."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last: float | None = None

    def step(self, now: float) -> None:
        if self._last is not None:
            self.seconds += 0.1 * (now - self._last - self.seconds)
        self._last = now

    def pause(self) -> None:
        """Nobody takes part: the time until the next step does not count."""
        self._last = None


def first_frames(step_seconds: float, *, wait: int) -> int:
    """How long a first chunk must be for the second to be there when it has been played.

    The second, as long as the first, is there after f + `wait` further steps, its context being longer than the
    first one's; the first plays f / 25 s.
    """
    step = MARGIN * step_seconds * FRAME_RATE  # as a part of the time that a frame plays
    if step >= 1:
        return LAST_FRAMES
    return min(LAST_FRAMES, max(FIRST_FRAMES, int(np.ceil(wait * step / (1 - step)))))
