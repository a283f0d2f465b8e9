"""Decodes windows of many streams at once: those of one length make a batch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from inference.engines.higgs.stream import Stream
from inference.higgs.codec_stream import Excerpt, Window
from inference.higgs.codecs import Codec

Windows = Sequence[tuple[Stream, Window]]
Decoded = list[tuple[Stream, Window, Tensor]]
"""Windows with their samples [(high - low) · 960], on the host."""


class Vocoder:
    """Decodes on the scheduler's own thread. A GPU does this work while the host goes on."""

    batch = 16
    """Windows in a batch at most: a step waits for no more than these."""

    def __init__(self, codec: Codec, device: torch.device) -> None:
        self._codec, self._device = codec, device

    def decode(self, windows: Windows, *, wait: bool = True) -> Decoded:
        """Decode the first window and those as long as it.

        Args:
            wait: the caller has nothing else to do. Otherwise the answer may be that of an earlier call, or empty.
        """
        return self._decode(*self._gather(windows)) if windows else []

    def close(self) -> None:
        """Let go of what decodes. No window may be handed over afterwards."""

    def _gather(self, windows: Windows) -> tuple[Windows, Tensor, list[Excerpt]]:
        """One batch of the windows, with its codes [B, N, F] and its excerpts."""
        length = _length(windows[0][1])
        batch = [(stream, window) for stream, window in windows if _length(window) == length][: self.batch]
        codes = np.stack([stream.codes(window) for stream, window in batch])  # [B, F, N]
        excerpts = [stream.excerpt(window) for stream, window in batch]
        return batch, torch.from_numpy(codes).to(torch.int64).transpose(1, 2), excerpts

    def _decode(self, batch: Windows, codes: Tensor, excerpts: list[Excerpt]) -> Decoded:
        audio = self._codec.decode(codes.to(self._device), excerpts).cpu()
        return [(stream, window, pcm) for (stream, window), pcm in zip(batch, audio, strict=True)]


class BackgroundVocoder(Vocoder):
    """For the CPU: decodes on threads of its own, one a core, while steps go on.

    A window that has been handed over is planned again each turn, and passed over here, until its audio is there.
    """

    batch = 4
    """Larger batches are no faster on a CPU, and a listener who has heard nothing yet would wait for them."""

    def __init__(self, codec: Codec, device: torch.device, *, threads: int) -> None:
        super().__init__(codec, device)
        self._workers = max(1, (os.cpu_count() or 1) // threads)
        self._pool = ThreadPoolExecutor(
            self._workers, thread_name_prefix="vocoder", initializer=torch.set_num_threads, initargs=(threads,)
        )
        self._running: dict[Future[Decoded], set[Stream]] = {}

    def decode(self, windows: Windows, *, wait: bool = True) -> Decoded:
        busy = set().union(*self._running.values())
        idle = [(stream, window) for stream, window in windows if stream not in busy]
        if idle and len(self._running) < self._workers:
            gathered = self._gather(idle)
            self._running[self._pool.submit(self._decode, *gathered)] = {stream for stream, _ in gathered[0]}
        if wait:
            futures.wait(self._running, return_when=futures.FIRST_COMPLETED)
        done = [future for future in self._running if future.done()]
        for future in done:
            del self._running[future]
        return [decoded for future in done for decoded in future.result()]

    def close(self) -> None:
        self._pool.shutdown()


def _length(window: Window) -> int:
    return window.high - window.low
