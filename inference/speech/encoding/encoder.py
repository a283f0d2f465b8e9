"""What an encoder is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from inference.engines.protocol import Pcm

FULL_SCALE = np.float32(32767)


@dataclass(frozen=True, slots=True)
class EncodedTail:
    """The end of a file.

    A container cannot know its length before the audio has ended, so its first bytes are provisional: the whole
    file is `head + sent[len(head):]`. Whoever keeps the file patches it; whoever only listens loses nothing but
    an exact duration.
    """

    data: bytes = b""
    """The last bytes, to be sent after all others; may be empty."""
    head: bytes = b""
    """What the first `len(head)` bytes of the file are, now that its length is known."""


class Encoder(Protocol):
    """One file in the making. Not thread-safe; one that is not wanted any more is simply dropped."""

    def encode(self, pcm: Pcm) -> bytes:
        """Take audio of any length and return the bytes ready to be sent, which may be none.

        Samples are clipped to [-1, 1]; NaN becomes silence.
        """

    def close(self) -> EncodedTail:
        """End the file. To be called once, and nothing after it."""


def clean(pcm: Pcm) -> Pcm:
    """Samples that any encoder can take: within [-1, 1], NaN as silence."""
    clipped = np.clip(np.nan_to_num(pcm, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    return clipped.astype(np.float32, copy=False)


def as_int16(pcm: Pcm) -> npt.NDArray[np.int16]:
    """16-bit samples; full scale is 32767 either way, symmetric, so that 1.0 does not overflow.

    `clean`'s rules, by few passes: each lets another thread take the interpreter, for which this one then waits.
    """
    scaled = np.multiply(pcm, FULL_SCALE, dtype=np.float32)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -FULL_SCALE, FULL_SCALE, out=scaled)
    if math.isnan(scaled.sum()):
        np.nan_to_num(scaled, copy=False)
    return scaled.astype("<i2")
