"""The pitch of a voice as it is heard: from the audio alone, so that every speaker is measured alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE

Floats = NDArray[np.float32]

WINDOW, HOP = SAMPLE_RATE // 20, SAMPLE_RATE // 50
LOWEST_HZ, HIGHEST_HZ = 60, 400
VOICED = 0.6
"""Normalised autocorrelation at the pitch's period, from which a window counts as voiced."""
LOUD = 0.1
"""Of the loudest window's root mean square, from which one is listened to."""


def median_f0(audio: Floats) -> float:
    """Median over the voiced windows of audio [samples] at 24 kHz, in Hz; NaN where nothing is voiced."""
    if len(audio) < WINDOW:
        return float("nan")
    windows = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[::HOP].astype(np.float64)
    windows = windows - windows.mean(axis=1, keepdims=True)
    power = np.square(windows).mean(axis=1) ** 0.5
    windows = windows[power > LOUD * power.max()]
    correlation = np.fft.irfft(np.abs(np.fft.rfft(windows, 2 * WINDOW)) ** 2)[:, :WINDOW]
    shortest, longest = SAMPLE_RATE // HIGHEST_HZ, SAMPLE_RATE // LOWEST_HZ
    # A lag leaves fewer products to sum: without their number the shortest lag would always win.
    left = (WINDOW - np.arange(shortest, longest)) / WINDOW
    score = correlation[:, shortest:longest] / (correlation[:, :1] + 1e-12) / left
    # An octave too low scores nearly as well: the first peak that is nearly the best is the period.
    near = np.pad(score, ((0, 0), (1, 1)), constant_values=-np.inf)
    peak = (score >= near[:, :-2]) & (score >= near[:, 2:])
    period = shortest + (peak & (score >= 0.9 * score.max(axis=1, keepdims=True))).argmax(axis=1)
    voiced = score.max(axis=1) >= VOICED
    return float(np.median(SAMPLE_RATE / period[voiced])) if voiced.any() else float("nan")
