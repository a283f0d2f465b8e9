"""Streaming encoders: PCM in as it is made, bytes out as soon as they can be sent.

The same audio gives the same bytes, however it is cut and whoever encodes it: so a listener can go on with another
worker's file where the first one's broke off.
"""

from __future__ import annotations

from collections.abc import Callable

from inference.engines.protocol import Pcm

from .container import AacEncoder, FlacEncoder, Mp3Encoder, OpusEncoder
from .encoder import EncodedTail, Encoder
from .pcm import PcmEncoder, WavEncoder

__all__ = ["ENCODERS", "EncodedTail", "Encoder", "encode_file", "open_encoder"]

ENCODERS: dict[str, Callable[[], Encoder]] = {
    "wav": WavEncoder,
    "mp3": Mp3Encoder,
    "opus": OpusEncoder,
    "aac": AacEncoder,
    "flac": FlacEncoder,
    "pcm": PcmEncoder,
}


def open_encoder(name: str) -> Encoder:
    """Begin a file in the format of that name (see `inference.speech.formats`).

    Raises:
        KeyError: there is no such format.
    """
    return ENCODERS[name]()


def encode_file(name: str, pcm: Pcm) -> bytes:
    """A whole file of audio that is at hand. Raises KeyError: there is no such format."""
    encoder = open_encoder(name)
    sent = encoder.encode(pcm)
    tail = encoder.close()
    return tail.head + (sent + tail.data)[len(tail.head) :]
