"""Speaking faster or slower at the same pitch: FFmpeg's `atempo`, a WSOLA time stretcher
(https://ffmpeg.org/ffmpeg-filters.html#atempo), so that it works for every engine.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import av
import av.filter
import numpy as np

from inference.engines.protocol import SAMPLE_RATE, Pcm

SLOWEST_STEP = 0.5
"""The least that one `atempo` can do; slower ones follow each other."""


class Tempo:
    """A stream of audio at another speed. Not thread-safe.

    Args:
        speed: 2.0 makes half as much audio of it.
    """

    def __init__(self, speed: float) -> None:
        self._graph = av.filter.Graph()
        self._samples = 0
        chain = [self._graph.add_abuffer(format="flt", sample_rate=SAMPLE_RATE, layout="mono")]
        chain += [self._graph.add("atempo", f"{step:.6f}") for step in _steps(speed)]
        chain.append(self._graph.add("abuffersink"))
        for before, after in pairwise(chain):
            before.link_to(after)
        self._graph.configure()

    def push(self, pcm: Pcm) -> Pcm:
        """Take audio and return what of the result is ready, which may be nothing."""
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm)[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self._samples
        self._samples += len(pcm)
        self._graph.push(frame)
        return self._pull()

    def flush(self) -> Pcm:
        """The rest; nothing is to be pushed after it."""
        self._graph.push(None)
        return self._pull()

    def _pull(self) -> Pcm:
        pieces = [np.zeros(0, np.float32)]
        while True:
            try:
                pulled = cast("av.AudioFrame", self._graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return np.concatenate(pieces)
            pieces.append(pulled.to_ndarray()[0].astype(np.float32, copy=False))


def _steps(speed: float) -> list[float]:
    steps = []
    while speed < SLOWEST_STEP:
        steps.append(SLOWEST_STEP)
        speed /= SLOWEST_STEP
    return [*steps, speed]
