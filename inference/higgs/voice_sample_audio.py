"""Makes a voice's audio file ready for the codec: mono, at the codec's rate, without the silence around it."""

from __future__ import annotations

import io

import av
import numpy as np
import torch
from av.error import FFmpegError
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.resample import resample
from inference.speech.reference import MAX_TRANSCRIBED_SECONDS

MAX_SECONDS = float(MAX_TRANSCRIBED_SECONDS)
"""Each second of a voice sample takes 25 positions of a request's slot, and 10 to 15 s of clean speech clone best.
Longer audio is refused and not cut: its transcript would say more than is heard."""
MIN_SECONDS = 1.0
"""Shorter audio is filled up with silence, as other servers of the codec do."""
SILENCE_DB = -40.0
"""Below the loudest moment, what comes before and after the speech counts as silence."""
MARGIN_SECONDS = 0.1
"""Silence that stays at both ends, so that no soft onset is cut off."""
_WINDOW_SECONDS = 0.02


def read_audio(data: bytes) -> tuple[NDArray[np.float32], int]:
    """The samples of an audio file in any format that FFmpeg knows, its channels averaged, and their rate in Hz.

    Raises:
        ValueError: it is no audio, is broken, or is empty.
    """
    try:
        with av.open(io.BytesIO(data), "r") as container:
            if not container.streams.audio:
                raise ValueError("it holds no audio")
            planar = av.AudioResampler(format="fltp")
            frames = [part for frame in container.decode(audio=0) for part in planar.resample(frame)]
            frames += planar.resample(None)
    except FFmpegError as error:
        raise ValueError(f"it cannot be decoded ({error.strerror})") from error
    if not frames:
        raise ValueError("it is empty")
    samples = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames])
    if not np.isfinite(samples).all():
        raise ValueError("it holds samples that are no numbers")
    return samples, frames[0].sample_rate


def prepare(data: bytes, *, rate: int, frame: int) -> Tensor:
    """The speech in an audio file [S] at `rate` Hz, S being a multiple of `frame` samples.

    On a whole number of frames all implementations of the codec agree; the last one is filled up with silence.

    Raises:
        ValueError: it cannot be read, is silent, or its speech is longer than `MAX_SECONDS`.
    """
    samples, source = read_audio(data)
    speech = trim(samples, source)
    if len(speech) > MAX_SECONDS * source:
        raise ValueError(
            f"it speaks for {len(speech) / source:.1f} s; "
            f"cut it, and its transcript, to {MAX_SECONDS:.0f} s or less"
        )
    return fit(speech, source, rate=rate, frame=frame)


def fit(speech: NDArray[np.float32], source: int, *, rate: int, frame: int) -> Tensor:
    """Speech at `source` Hz as samples [S] at `rate` Hz, filled up with silence to whole frames."""
    audio = resample(torch.from_numpy(speech), source, rate)
    missing = max(0, int(MIN_SECONDS * rate) - len(audio))
    return F.pad(audio, (0, missing + -(len(audio) + missing) % frame))


def trim(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The samples from the first loud moment to the last, with a margin. Raises ValueError where all is silent."""
    window = max(1, int(_WINDOW_SECONDS * rate))
    windows = np.pad(samples, (0, -len(samples) % window)).reshape(-1, window)
    power = np.square(windows, dtype=np.float64).mean(axis=1)
    if not power.max():
        raise ValueError("it is silent")
    loud = np.flatnonzero(power >= power.max() * 10 ** (SILENCE_DB / 10))
    margin = int(MARGIN_SECONDS * rate)
    return samples[max(0, loud[0] * window - margin) : (loud[-1] + 1) * window + margin]
