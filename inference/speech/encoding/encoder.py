"""What an encoder is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from inference.engines.protocol import Pcm

FULL_SCALE = np.float32(32767)
"""Symmetric, so that 1.0 does not overflow."""


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
    """Samples that any encoder can take: within [-1, 1], NaN as silence.

    NaN is looked for by one sum, and replaced only if there is some: in a worker each pass over the samples lets
    another thread take the interpreter, for which this one then waits.
    """
    clipped = np.clip(pcm, -1.0, 1.0).astype(np.float32, copy=False)
    if math.isnan(clipped.sum()):
        np.nan_to_num(clipped, copy=False)
    return clipped


def as_int16(pcm: Pcm) -> npt.NDArray[np.int16]:
    """16-bit samples, of full scale either way."""
    scaled = clean(pcm) * FULL_SCALE
    np.rint(scaled, out=scaled)
    return scaled.astype("<i2")
