"""The pitch of a voice as it is heard: from the audio alone, so that every speaker is measured alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE
from inference.speech import pitch

Floats = NDArray[np.float32]

WINDOW, HOP = SAMPLE_RATE // 20, SAMPLE_RATE // 50
VOICED = 0.6
"""Normalised autocorrelation at the pitch's period, from which a window counts as voiced."""
LOUD = 0.1
"""Of the loudest window's root mean square, from which one is listened to."""


def median_f0(audio: Floats) -> float:
    """Median over the voiced windows of audio [samples] at 24 kHz, in Hz; NaN where nothing is voiced."""
    if len(audio) < WINDOW:
        return float("nan")
    windows = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[::HOP].astype(np.float64)
    loudness = np.square(windows - windows.mean(axis=1, keepdims=True)).mean(axis=1) ** 0.5
    periodicity, hertz = pitch.of(windows[loudness > LOUD * loudness.max()])
    voiced = periodicity >= VOICED
    return float(np.median(hertz[voiced])) if voiced.any() else float("nan")
