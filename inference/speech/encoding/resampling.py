"""Audio at another sample rate, and at an asked loudness, on its way to an encoder."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import av
import av.filter
import numpy as np

from inference.engines.protocol import SAMPLE_RATE, Pcm
from inference.speech.encoding.encoder import EncodedTail, Encoder, clean

SILENT_LUFS = -70.0
"""BS.1770's absolute gate: what is below it is no programme, and has no loudness."""
MOST_GAIN_DB = 20.0
"""Either way. Beyond it there is little but noise to be made louder."""
BLOCK_SAMPLES = round(0.4 * SAMPLE_RATE)
"""The least audio that has a loudness. A block has one gain, so that gains do not depend on how audio is cut."""
KNEE = 0.8
"""Samples above this are bent towards full scale, so that a raised peak does not clip."""


class ResampledEncoder:
    """Another encoder, fed at the sample rate that it was opened with. The audio is not shifted."""

    def __init__(self, encoder: Encoder, *, sample_rate: int) -> None:
        self._encoder = encoder
        self._sample_rate = sample_rate
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
        self._taken = self._given = 0

    def encode(self, pcm: Pcm) -> bytes:
        if not len(pcm):
            return self._encoder.encode(pcm)
        frame = _frame(clean(pcm), at=self._taken)
        self._taken += len(pcm)
        return self._encoder.encode(self._counted(self._resampler.resample(frame)))

    def close(self) -> EncodedTail:
        rest = self._counted(self._resampler.resample(None) if self._taken else [])
        # The audio lasts as long as before, to the sample, whatever the filter's tail is.
        missing = self._taken * self._sample_rate // SAMPLE_RATE - self._given
        data = self._encoder.encode(np.pad(rest, (0, max(0, missing))))
        tail = self._encoder.close()
        return EncodedTail(data=data + tail.data, head=tail.head)

    def _counted(self, frames: list[av.AudioFrame]) -> Pcm:
        pcm = np.concatenate([np.zeros(0, np.float32), *(frame.to_ndarray()[0] for frame in frames)])
        self._given += len(pcm)
        return pcm


class LoudnessEncoder:
    """Another encoder, fed with audio at a loudness (ITU-R BS.1770, measured by FFmpeg's `ebur128`).

    A stream cannot know how loud its end will be. Each block gets the gain that the audio up to its end asks for,
    reached by a ramp, so that the whole ends up near the target while little is held back. Where the whole was
    `measured` before, the gain is one number.

    Args:
        target: LUFS.
        measured: LUFS of all that will be encoded, where it is known.
    """

    def __init__(self, encoder: Encoder, *, target: float, measured: float | None = None) -> None:
        self._encoder = encoder
        self._target = target
        self._meter = None if measured is not None else Meter()
        self._gain = None if measured is None else _gain(target, measured)
        self._waiting: Pcm = np.zeros(0, np.float32)

    def encode(self, pcm: Pcm) -> bytes:
        if self._meter is None:
            return self._encoder.encode(self._raised(pcm))
        self._waiting = np.concatenate([self._waiting, pcm])
        whole = len(self._waiting) - len(self._waiting) % BLOCK_SAMPLES
        blocks, self._waiting = self._waiting[:whole], self._waiting[whole:]
        return b"".join(
            self._encoder.encode(self._raised(blocks[start : start + BLOCK_SAMPLES]))
            for start in range(0, whole, BLOCK_SAMPLES)
        )

    def close(self) -> EncodedTail:
        data = self._encoder.encode(self._raised(self._waiting)) if len(self._waiting) else b""
        tail = self._encoder.close()
        return EncodedTail(data=data + tail.data, head=tail.head)

    def _raised(self, pcm: Pcm) -> Pcm:
        before = self._gain
        if self._meter is not None and (heard := self._meter.push(pcm)) > SILENT_LUFS:
            self._gain = _gain(self._target, heard)
        after = 1.0 if self._gain is None else self._gain
        ramp = np.linspace(after if before is None else before, after, len(pcm), dtype=np.float32)
        return _limited(clean(pcm) * ramp)


class Meter:
    """Integrated loudness of the audio so far."""

    def __init__(self) -> None:
        self._graph = av.filter.Graph()
        chain = [
            self._graph.add_abuffer(format="flt", sample_rate=SAMPLE_RATE, layout="mono"),
            self._graph.add("ebur128", "metadata=1"),
            self._graph.add("abuffersink"),
        ]
        for before, after in pairwise(chain):
            before.link_to(after)
        self._graph.configure()
        self._taken = 0
        self.loudness = SILENT_LUFS
        """LUFS; not more than `SILENT_LUFS` as long as nothing audible came."""

    def push(self, pcm: Pcm) -> float:
        """Take audio, and return the loudness so far."""
        self._graph.push(_frame(clean(pcm), at=self._taken))
        self._taken += len(pcm)
        while True:
            try:
                measured = cast("av.AudioFrame", self._graph.pull())
            except (av.BlockingIOError, av.EOFError):
                return self.loudness
            self.loudness = float(measured.metadata["lavfi.r128.I"])


def _frame(pcm: Pcm, *, at: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm)[np.newaxis], format="flt", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = at
    return frame


def _gain(target: float, measured: float) -> float:
    """The factor on the samples."""
    if measured <= SILENT_LUFS:
        return 1.0
    decibels = min(MOST_GAIN_DB, max(-MOST_GAIN_DB, target - measured))
    return float(10 ** (decibels / 20))


def _limited(pcm: Pcm) -> Pcm:
    loud = np.abs(pcm)
    bent = KNEE + (1 - KNEE) * np.tanh((loud - KNEE) / (1 - KNEE))
    return np.where(loud > KNEE, np.copysign(bent, pcm), pcm).astype(np.float32)
