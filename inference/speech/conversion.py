"""Stored audio in another format."""

from __future__ import annotations

import io

import av
import numpy as np

from inference.engine.protocol import SAMPLE_RATE, SAMPLES_PER_FRAME, Pcm
from inference.speech.encoding import open_encoder

_PIECE_FRAMES = 250


def convert(data: bytes, *, source: str, target: str, samples: int) -> bytes:
    """`data` in the format `target`; the same input gives the same bytes.

    Args:
        samples: how many there are; an encoder's padding beyond them is left out.
    """
    pcm = _decode(data, source)[:samples]
    encoder = open_encoder(target)
    step = _PIECE_FRAMES * SAMPLES_PER_FRAME
    encoded = b"".join(encoder.encode(pcm[start : start + step]) for start in range(0, len(pcm), step))
    tail = encoder.close()
    encoded += tail.data
    return tail.head + encoded[len(tail.head) :]


def _decode(data: bytes, source: str) -> Pcm:
    if source == "pcm":
        return (np.frombuffer(data, "<i2") / 32767).astype(np.float32)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(io.BytesIO(data), "r") as container:
        decoded = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    pieces = [piece.to_ndarray()[0] for piece in (*decoded, *resampler.resample(None))]
    return np.concatenate([np.zeros(0, np.float32), *pieces])
