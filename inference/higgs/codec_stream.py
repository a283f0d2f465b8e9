"""Cuts a growing stream of frames into windows for the codec, so that the pieces join into the whole decode.

The caller decodes the windows, those of equal length from many streams in one batch:

    while window := stream.plan(available, final=ended):
        pcm = stream.take(window, codec.decode(frames[window.low : window.high]...))
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inference.higgs.codec import CONTEXT

FADE_SAMPLES = 240
"""10 ms, over which the exact decode takes over from one with too little context."""


@dataclass(frozen=True, slots=True)
class Window:
    """Decode frames [low, high), keep [start, end)."""

    low: int
    high: int
    start: int
    end: int


class ChunkStream:
    """One stream's place. Its first chunk may go out with less context to the right than the rest.

    Chunks grow from `first` to `chunk` frames, each as long as all that was sent before it, so that a listener
    who has just begun to play does not wait for a long one.
    """

    def __init__(self, *, samples_per_frame: int, chunk: int = 25, first: int = 4, first_context: int = 4) -> None:
        self.samples_per_frame = samples_per_frame
        self.chunk, self.first, self.first_context = chunk, first, min(first_context, CONTEXT)
        self.emitted = 0
        self._tail: Tensor | None = None

    @property
    def wanted(self) -> int:
        """The frames that must be there for the next chunk."""
        return self._end + (CONTEXT if self.emitted else self.first_context)

    @property
    def _end(self) -> int:
        return self.emitted + min(self.chunk, max(self.first, self.emitted))

    def plan(self, available: int, *, final: bool) -> Window | None:
        """The next window once its frames are there, or None. `final`: no frame follows the `available` ones."""
        start = self.emitted
        if final:
            end = min(start + self.chunk, available)
            # What lies between the chunk and the end is context, all of it where the end is near.
            if end == start:
                return None
            return Window(max(0, start - CONTEXT), min(available, end + CONTEXT), start, end)
        if available < self.wanted:
            return None
        return Window(max(0, start - CONTEXT), self.wanted, start, self._end)

    def take(self, window: Window, audio: Tensor) -> Tensor:
        """The samples to send, [(end - start) · 960], from the window's decoded audio [(high - low) · 960]."""
        rate = self.samples_per_frame
        begin, end = (window.start - window.low) * rate, (window.end - window.low) * rate
        pcm = audio[begin:end].clone()
        if self._tail is not None:
            count = min(len(self._tail), len(pcm))
            weight = torch.linspace(0, 1, count + 2, device=pcm.device)[1:-1]
            pcm[:count] = self._tail[:count] * (1 - weight) + pcm[:count] * weight
        short = window.high - window.end < CONTEXT and window.high > window.end and not window.start
        self._tail = audio[end : end + FADE_SAMPLES].clone() if short else None
        self.emitted = window.end
        return pcm
