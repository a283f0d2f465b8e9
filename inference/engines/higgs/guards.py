"""What ends a sentence that does not end by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.engines.protocol import FRAME_RATE, SAMPLES_PER_FRAME, Pcm

FRAMES_PER_BYTE = 7
"""About four times what English takes: 15 characters a second are 1.7 frames each. Bytes, so that a Chinese
character, a syllable of three bytes, may take longer."""
SPARE_FRAMES = 3 * FRAME_RATE
SILENT_FRAMES = 4 * FRAME_RATE
"""No pause within a sentence is so long."""
SILENCE = 10 ** (-60 / 20)
"""Root mean square of a silent frame, -60 dBFS."""


def frame_cap(text: str) -> int:
    """Frames after which a sentence that still goes on is not this text any more."""
    return FRAMES_PER_BYTE * len(text.encode()) + SPARE_FRAMES


class SilenceWatch:
    """Counts silent frames over a stream's chunks."""

    def __init__(self) -> None:
        self._run = 0

    def ends_at(self, pcm: Pcm, asked: NDArray[np.bool] | None = None) -> int | None:
        """How many of the chunk's frames there are up to the end of a run that is too long; None without one.

        The frames after that end count towards the next run; a caller who cuts them off calls `reset`.

        Args: asked: which frames are a pause that a text asks for. No run goes on through it.
        """
        loudness = np.sqrt(np.square(pcm.reshape(-1, SAMPLES_PER_FRAME)).mean(axis=1))
        found = None
        silence = loudness < SILENCE
        if asked is not None:
            silence &= ~asked
        for number, silent in enumerate(silence, start=1):
            self._run = self._run + 1 if silent else 0
            if self._run >= SILENT_FRAMES:
                self._run, found = 0, number
        return found

    def reset(self) -> None:
        self._run = 0
