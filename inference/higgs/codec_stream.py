"""Cuts a growing stream of frames into windows for the codec, so that the pieces join into the whole decode.

The caller decodes the windows, those of equal length from many streams in one batch:

    while window := stream.plan(available, final=ended):
        pcm = stream.take(window, codec.decode(frames[window.low : window.high]...))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from inference.higgs.spectral_stream import Progress

FADE_SAMPLES = 240
"""10 ms, over which the exact decode takes over from one with too little context."""


@dataclass(frozen=True, slots=True)
class Window:
    """Decode frames [low, high), keep [start, end)."""

    low: int
    high: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """How a voice makes its own what the codes say. Only a codec with an explicit pitch can."""

    pitch: float = 1.0
    """Factor of the fundamental frequency."""
    range: float = 1.0
    """Factor of its movement, in octaves."""
    formants: float = 1.0
    """Factor of the spectrum's frequencies: below 1 sounds like a larger speaker."""
    breath: float = 0.0
    """More noise, less of the voice, in nepers."""
    gain: float = 0.0
    """How much louder, in nepers."""


PLAIN = Rendering()


@dataclass(slots=True)
class Track:
    """What a codec keeps of one stream between its windows."""

    phase: float = 0.0
    """Of the pitch, in cycles, where the last window's kept part ended."""
    progress: Progress | None = None
    """What the codec's layers hold of the frames that they have taken; None before the first of them."""

    def forget(self) -> None:
        """Frames that were taken have been dropped: decode the next window from its own first frame on."""
        self.progress = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A window of one stream, and what its codec must know beside the codes."""

    window: Window
    track: Track
    renderings: Sequence[Rendering]
    """Of each of the window's frames."""

    @property
    def progress(self) -> Progress | None:
        """What the track holds, unless frames at the stream's end that it has taken have been dropped since."""
        progress = self.track.progress
        return None if progress is None or progress.taken > self.window.high else progress

    @classmethod
    def whole(cls, frames: int, rendering: Rendering = PLAIN) -> Excerpt:
        return cls(Window(0, frames, 0, frames), Track(), [rendering] * frames)


class ChunkStream:
    """One stream's place. Its first chunk may go out with less context to the right than the rest.

    Chunks grow from `first` to `chunk` frames, each as long as all that was sent before it, so that a listener
    who has just begun to play does not wait for a long one. The last one takes in what would be its context alone.
    """

    def __init__(
        self,
        *,
        samples_per_frame: int,
        context: int,
        alignment: int = 1,
        chunk: int = 25,
        first: int = 4,
        first_context: int = 4,
    ) -> None:
        """Args: context, alignment: the codec's, see `codecs.Codec`."""
        self.samples_per_frame = samples_per_frame
        self.context, self.alignment = context, alignment
        self.chunk, self.first, self.first_context = chunk, first, min(first_context, self.context)
        self.emitted = 0
        self._tail: Tensor | None = None

    @property
    def later_context(self) -> int:
        """Frames to the right by which later chunks wait longer than the first one."""
        return self.context - self.first_context

    @property
    def wanted(self) -> int:
        """The frames that must be there for the next chunk."""
        return self._end + (self.context if self.emitted else self.first_context)

    @property
    def _end(self) -> int:
        return self.emitted + min(self.chunk, max(self.first, self.emitted))

    @property
    def _low(self) -> int:
        low = max(0, self.emitted - self.context)
        return low - low % self.alignment

    def plan(self, available: int, *, final: bool) -> Window | None:
        """The next window once its frames are there, or None. `final`: no frame follows the `available` ones."""
        start = self.emitted
        if final:
            # A chunk whose context would be all that is left takes it in.
            end = available if available - start < self.chunk + self.context else start + self.chunk
            if end == start:
                return None
            return Window(self._low, min(available, end + self.context), start, end)
        if available < self.wanted:
            return None
        return Window(self._low, self.wanted, start, self._end)

    def take(self, window: Window, audio: Tensor) -> Tensor:
        """The samples to send, [(end - start) · 960], from the window's decoded audio [(high - low) · 960].

        The first chunk may be decoded with less context to its right than the codec needs, so that its end is not
        exact and the second chunk would join with a click. The second one is therefore faded in from the first
        one's decode of the same samples, which is kept for that as the tail.
        """
        rate = self.samples_per_frame
        begin, end = (window.start - window.low) * rate, (window.end - window.low) * rate
        pcm = audio[begin:end].clone()
        if self._tail is not None:
            _fade_in(pcm, self._tail)
        is_first, context = window.start == 0, window.high - window.end
        self._tail = audio[end : end + FADE_SAMPLES].clone() if is_first and 0 < context < self.context else None
        self.emitted = window.end
        return pcm


def _fade_in(pcm: Tensor, before: Tensor) -> None:
    """Let `before` turn into `pcm` over its length, in place. No sample is of one of them alone."""
    count = min(len(before), len(pcm))
    weight = torch.linspace(0, 1, count + 2, device=pcm.device)[1:-1]
    pcm[:count] = before[:count] * (1 - weight) + pcm[:count] * weight
