"""The pitch of a voice, by autocorrelation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE

LOWEST_HZ, HIGHEST_HZ = 60, 400
NEARLY = 0.9
_PEAK_LAGS = 20
"""How far, in samples, the top of a peak may be from where it is nearly as high."""


def of(windows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How alike each window [W, samples] is to itself a period of a voice's pitch later, from 0 to 1 [W]; and that
    pitch, in Hz [W]. A window must be longer than a period of `LOWEST_HZ`.
    """
    length = windows.shape[1]
    centred = windows - windows.mean(axis=1, keepdims=True)
    power = np.square(np.abs(np.fft.rfft(centred, 2 * length, axis=1)))
    correlation = np.fft.irfft(power, axis=1)
    lags = np.arange(SAMPLE_RATE // HIGHEST_HZ, SAMPLE_RATE // LOWEST_HZ)
    # A lag leaves fewer products to sum: without their number the shortest lag would win.
    alike = correlation[:, lags] * (length / (length - lags))
    best: NDArray[np.float64] = alike.max(axis=1)
    # Two periods later it is as alike: of the peaks that are nearly the highest, the first one is the period.
    first = (alike >= NEARLY * best[:, None]).argmax(axis=1)
    near = np.minimum(first[:, None] + np.arange(_PEAK_LAGS), len(lags) - 1)
    period = lags[first + np.take_along_axis(alike, near, axis=1).argmax(axis=1).clip(max=len(lags) - 1 - first)]
    return best / (correlation[:, 0] + 1e-12), SAMPLE_RATE / period
