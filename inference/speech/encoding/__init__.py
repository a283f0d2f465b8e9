"""Streaming encoders: PCM in as it is made, bytes out as soon as they can be sent.

The same audio gives the same bytes, however it is cut and whoever encodes it: so a listener can go on with another
worker's file where the first one's broke off.
"""

from __future__ import annotations

from collections.abc import Callable

from inference.engines.protocol import SAMPLE_RATE, Pcm
from inference.speech.formats import AudioFormat

from .container import AacEncoder, AlawEncoder, FlacEncoder, Mp3Encoder, MulawEncoder, OpusEncoder, WebmOpusEncoder
from .encoder import EncodedTail, Encoder
from .pcm import PcmEncoder, WavEncoder
from .resampling import LoudnessEncoder, ResampledEncoder

__all__ = ["ENCODERS", "EncodedTail", "Encoder", "encode_file", "open_encoder"]

ENCODERS: dict[str, Callable[[AudioFormat], Encoder]] = {
    "wav": lambda format: WavEncoder(format.sample_rate),
    "mp3": lambda format: Mp3Encoder(bit_rate=format.bitrate),
    "opus": lambda format: (WebmOpusEncoder if format.container == "webm" else OpusEncoder)(
        sample_rate=format.sample_rate, bit_rate=format.bitrate
    ),
    "aac": lambda format: AacEncoder(bit_rate=format.bitrate),
    "flac": lambda _: FlacEncoder(),
    "pcm": lambda _: PcmEncoder(),
    "mulaw": lambda format: MulawEncoder(sample_rate=format.sample_rate),
    "alaw": lambda format: AlawEncoder(sample_rate=format.sample_rate),
}


def open_encoder(name: str, *, measured: float | None = None) -> Encoder:
    """Begin a file in the format that `inference.speech.formats.AudioFormat` writes so.

    Args:
        measured: the loudness in LUFS of all that will be encoded, where it is known before.

    Raises:
        KeyError: there is no such format.
    """
    format = AudioFormat.parse(name)
    encoder = ENCODERS[format.name](format)
    if format.sample_rate != SAMPLE_RATE:
        encoder = ResampledEncoder(encoder, sample_rate=format.sample_rate)
    if format.loudness is not None:
        encoder = LoudnessEncoder(encoder, target=format.loudness, measured=measured)
    return encoder


def encode_file(name: str, pcm: Pcm) -> bytes:
    """A whole file of audio that is at hand. Raises KeyError: there is no such format."""
    encoder = open_encoder(name)
    sent = encoder.encode(pcm)
    tail = encoder.close()
    return tail.head + (sent + tail.data)[len(tail.head) :]
