"""One attempt's audio on its way out: at the asked speed, in whole frames, encoded, to listeners and store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

import numpy as np

from inference import spool
from inference.channel import Writer
from inference.engines.protocol import SAMPLES_PER_FRAME, Chunk, Codes, Pcm
from inference.speech.encoding import open_encoder
from inference.speech.tempo import Tempo

TURNS = 8
"""Recordings of one process that encode and send at once."""
_turns = threading.Semaphore(TURNS)
"""A thread that wants Python's interpreter wakes up every 5 ms to ask for it. Where streams are behind, a thousand
of them take most of it from each other, and from the engine; those that wait here sleep."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The whole file, which goes with its recording; `head` is what of its start changed since it was
    sent."""

    file: IO[bytes]
    size: int
    head: bytes


class Recording:
    """Takes an engine's chunks. Whoever makes one discards it in the end.

    Args:
        max_frames: what is above is cut off, and `cut` says so.
        cover: how many of the first frames may be billed, of so many; asked before they leave (`inference.hold`).
    """

    def __init__(
        self, writer: Writer, *, format: str, speed: float, max_frames: int, cover: Callable[[int], int]
    ) -> None:
        self._writer = writer
        self._encoder = open_encoder(format)
        self._tempo = None if speed == 1 else Tempo(speed)
        self._limit = max_frames
        """Frames that may be billed, which become fewer where `cover` refuses some."""
        self._cover = cover
        self._began = time.monotonic()
        self._file = spool.create()
        self._rest: Pcm = np.zeros(0, np.float32)
        self._codes = bytearray()
        self._codebooks = 0
        self._unsent: list[Codes] = []
        self._encode_seconds = 0.0
        self._generated = 0
        """Frames of the engine."""
        self.frames = 0
        """Frames of the audio."""
        self.published = 0
        """`metered`, when audio was last sent."""
        self.cut = False
        self.first_audio_ms: int | None = None

    def add(self, chunk: Chunk) -> None:
        if chunk.codes is not None:
            self._unsent.append(chunk.codes)
            self._codes += chunk.codes.astype(np.int16, copy=False).tobytes()
            self._codebooks = chunk.codes.shape[1]
        billed = self.metered
        self._generated += chunk.frames
        self._take(chunk.pcm if self._tempo is None else self._tempo.push(chunk.pcm), billed)
        if self.first_audio_ms is None and self.frames:
            self.first_audio_ms = self.elapsed_ms

    def close(self) -> Recorded:
        """End the file. To be called once, after the last chunk."""
        if self._tempo is not None:
            self._take(self._tempo.flush(), self.metered)
            self._take(np.zeros(-len(self._rest) % SAMPLES_PER_FRAME, np.float32), self.metered)
        began = time.monotonic()
        tail = self._encoder.close()
        self._encode_seconds += time.monotonic() - began
        self._send(tail.data)
        size = spool.rewind(self._file, head=tail.head)
        return Recorded(self._file, size, tail.head)

    def discard(self) -> None:
        """Delete the file."""
        self._file.close()

    @property
    def metered(self) -> int:
        """The frames that are billed: faster speech is as much work, and slower speech is more audio.

        Never more than what money was held for, though an engine goes on beyond it.
        """
        return min(max(self._generated, self.frames), self._limit)

    @property
    def codes(self) -> Codes | None:
        """Shape (frames of the engine, codebooks); None where the engine has none."""
        return np.frombuffer(self._codes, np.int16).reshape(-1, self._codebooks) if self._codes else None

    @property
    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)

    @property
    def encode_ms(self) -> int:
        return round(self._encode_seconds * 1000)

    def _take(self, pcm: Pcm, billed: int) -> None:
        """Send the whole frames of `pcm` that are covered, `billed` being those that were metered before it."""
        if len(self._rest):
            pcm = np.concatenate([self._rest, pcm])
        whole = len(pcm) // SAMPLES_PER_FRAME
        frames = min(whole, self._limit - self.frames)
        self.cut = self.cut or frames < whole
        self._rest = pcm[whole * SAMPLES_PER_FRAME :]
        asked = min(max(self._generated, self.frames + frames), self._limit)
        covered = self._cover(asked)
        if covered < asked:
            self._limit, self._tempo = covered, None  # nothing follows
            frames = min(frames, max(0, covered - billed))
        if frames:
            self.frames += frames
            with _turns:
                began = time.monotonic()
                data = self._encoder.encode(pcm[: frames * SAMPLES_PER_FRAME])
                self._encode_seconds += time.monotonic() - began
                self._send(data)

    def _send(self, data: bytes) -> None:
        if data:
            self._file.write(data)
            self._writer.audio(data, self._unsent, frames=self.metered)
            self.published = self.metered
            self._unsent = []
