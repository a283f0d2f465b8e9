"""What an utterance is worth to `align`: the parts, each from 0 to 1, and their sum.

Character error and the recogniser's own certainty are joined by the harmonic mean, so that neither makes up for
the other (after arXiv 2509.18798). An answer that does not end by itself is worth nothing. The log has a curve for
each part: one that rises while the others fall is being cheated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from inference.audio import FRAME_RATE, SAMPLE_RATE
from inference.training.verdict import Verdict

ERROR_STEEPNESS = 3.0
LONGEST_PAUSE_SECONDS = 0.7
_WINDOW = SAMPLE_RATE // 50
_SILENCE = 10 ** (-45 / 20)
"""Of the loudest window: what lies below is silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    words: float
    """1 without a wrong character, near 0 from half of them on."""
    certainty: float
    """The recogniser's mean probability of what it heard."""
    quality: float
    """The opinion score from 1 to 5, as a part of the way."""
    length: float
    """1 at the teacher's length, 0 at half or twice of it."""
    pauses: float
    """0 where it is silent for longer than anybody pauses."""
    ended: float

    @property
    def total(self) -> float:
        heard = 2 * self.words * self.certainty / max(self.words + self.certainty, 1e-9)
        return self.ended * (0.6 * heard + 0.2 * self.quality + 0.1 * self.length + 0.1 * self.pauses)

    def parts(self) -> dict[str, float]:
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"total": self.total}


def reward(verdict: Verdict, audio: NDArray[np.float32], *, ended: bool, expected_seconds: float) -> Reward:
    """Args: audio: [samples] at 24 kHz. expected_seconds: what the teacher took."""
    error = verdict.sign_errors / max(verdict.signs, 1)
    seconds = max(len(audio) / SAMPLE_RATE, 1 / FRAME_RATE)
    return Reward(
        words=1 - math.tanh(ERROR_STEEPNESS * error),
        certainty=math.exp(min(verdict.log_probability, 0.0)),
        quality=min(max((verdict.mos - 1) / 4, 0.0), 1.0),
        length=max(0.0, 1 - abs(math.log2(seconds / expected_seconds))),
        pauses=float(longest_silence(audio) <= LONGEST_PAUSE_SECONDS),
        ended=float(ended),
    )


def longest_silence(audio: NDArray[np.float32]) -> float:
    """Seconds; of nothing but silence, all of it."""
    windows = audio[: len(audio) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    if not len(windows):
        return 0.0
    loudness = np.sqrt((windows**2).mean(1))
    silent = loudness <= loudness.max() * _SILENCE
    if not loudness.any():
        silent[:] = True
    longest = run = 0
    for is_silent in silent.tolist():
        run = run + 1 if is_silent else 0
        longest = max(longest, run)
    return longest * _WINDOW / SAMPLE_RATE
