"""Decodes windows of many streams at once: those of one length make a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from inference.engines.higgs.stream import Stream
from inference.higgs.codec_stream import Window
from inference.higgs.codecs import Codec

BATCH = 16
"""Windows in a batch at most: a step waits for no more than these."""


class Vocoder:
    def __init__(self, codec: Codec, device: torch.device) -> None:
        self._codec, self._device = codec, device

    def decode(self, windows: Sequence[tuple[Stream, Window]]) -> list[tuple[Stream, Window, Tensor]]:
        """Decode the first window and those as long as it: samples [(high - low) · 960], on the host."""
        if not windows:
            return []
        length = _length(windows[0][1])
        batch = [(stream, window) for stream, window in windows if _length(window) == length][:BATCH]
        codes = np.stack([stream.codes(window) for stream, window in batch])  # [B, F, N]
        on_device = torch.from_numpy(codes).to(self._device, torch.int64).transpose(1, 2)
        excerpts = [stream.excerpt(window) for stream, window in batch]
        audio = self._codec.decode(on_device, excerpts).cpu()
        return [(stream, window, pcm) for (stream, window), pcm in zip(batch, audio, strict=True)]


def _length(window: Window) -> int:
    return window.high - window.low
