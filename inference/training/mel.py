"""Log-mel spectra, what the codec's encoder listens to: 100 bands up to 12 kHz, 80 frames/s."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from inference.audio import SAMPLE_RATE

Floats = npt.NDArray[np.float32]

WINDOW, HOP, BANDS = 1200, 300, 100
FLOOR = 1e-4


@functools.cache
def _filters() -> Floats:
    """Triangles [WINDOW // 2 + 1, BANDS], each of unit sum."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    bins = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(rising, falling), 0, None)
    # The lowest are narrower than a bin: each takes the bin nearest to it.
    near = np.clip(1 - np.abs(bins[:, None] - edges[1:-1]) / 20, 0, None)
    triangles = np.where(triangles.sum(0) < 1e-3, near, triangles)
    return np.asarray(triangles / triangles.sum(0), np.float32)


@functools.cache
def _window() -> Floats:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW), np.float32)


def log_mel(audio: Floats, frames: int | None = None) -> Floats:
    """Audio [samples] to [frames, BANDS]; `frames` is len(audio) // HOP by default."""
    frames = len(audio) // HOP if frames is None else frames
    padded = np.pad(audio, WINDOW // 2, mode="reflect" if len(audio) > WINDOW // 2 else "constant")
    padded = np.pad(padded, (0, max(0, (frames - 1) * HOP + WINDOW - len(padded))))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames] * _window()
    spectrum = np.abs(np.fft.rfft(pieces, axis=1)).astype(np.float32)
    return np.asarray(np.log(np.maximum(spectrum @ _filters(), FLOOR)), np.float32)
