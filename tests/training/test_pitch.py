"""The pitch is measured from the audio, an octave neither too low nor too high."""

from __future__ import annotations

import numpy as np
import pytest

from inference.audio import SAMPLE_RATE
from inference.training.pitch import median_f0


@pytest.mark.parametrize("hertz", [85, 120, 205, 320])
def test_pitch_of_a_buzz_with_pauses_and_hiss(hertz: int) -> None:
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    buzz = sum(np.cos(2 * np.pi * hertz * n * seconds) / n for n in range(1, 12))
    hiss = np.random.default_rng(0).normal(size=len(seconds))
    audio = np.where(seconds % 0.5 < 0.3, buzz, 0.3 * hiss).astype(np.float32)
    assert median_f0(audio) == pytest.approx(hertz, rel=0.02)


def test_silence_has_none() -> None:
    assert np.isnan(median_f0(np.zeros(SAMPLE_RATE, np.float32)))
    assert np.isnan(median_f0(np.zeros(10, np.float32)))
