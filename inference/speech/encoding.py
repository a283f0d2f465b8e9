"""Streaming encoders: PCM in as it is made, bytes out as soon as they can be sent.

A container cannot know its length before the audio has ended, so its first bytes are provisional. `close`
returns them anew: the whole file is `head + sent[len(head):]`, and whoever keeps the file patches it, while
whoever only listens loses nothing but an exact duration.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import av
import numpy as np

from inference.engine.protocol import SAMPLE_RATE, Pcm
from inference.speech.formats import CONTENT_TYPES

MP3_BIT_RATE = 96_000
"""Bits per second. Constant, so that a player can tell time and seek in a stream whose head it has not seen
corrected; plenty for speech in mono at 24 kHz. LAME puts it 0.4 dB below its input, as headroom."""
_UNKNOWN_SIZE = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class EncodedTail:
    """The end of a file."""

    data: bytes
    """The last bytes, to be sent after all others; may be empty."""
    head: bytes
    """What the first `len(head)` bytes of the file are, now that its length is known."""


class Encoder(Protocol):
    """One file in the making. Not thread-safe; one that is not wanted any more is simply dropped."""

    def encode(self, pcm: Pcm) -> bytes:
        """Take audio of any length and return the bytes ready to be sent, which may be none.

        Samples are clipped to [-1, 1]; NaN becomes silence.
        """

    def close(self) -> EncodedTail:
        """End the file. To be called once, and nothing after it."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a format is called on the wire, and who writes it."""

    content_type: str
    open: Callable[[], Encoder]


class WavEncoder:
    """16-bit PCM behind the plain 44-byte header. Every sample leaves at once; nothing is held back."""

    def __init__(self) -> None:
        self._size = 0
        self._pending = self._header(_UNKNOWN_SIZE, _UNKNOWN_SIZE)

    def encode(self, pcm: Pcm) -> bytes:
        # Full scale is 32767 either way: symmetric, so that 1.0 does not overflow.
        samples = np.rint(_clean(pcm) * 32767).astype("<i2").tobytes()
        self._size += len(samples)
        data, self._pending = self._pending + samples, b""
        return data

    def close(self) -> EncodedTail:
        return EncodedTail(data=self._pending, head=self._header(36 + self._size, self._size))

    @staticmethod
    def _header(riff_size: int, data_size: int) -> bytes:
        """Sizes in bytes; 0xFFFFFFFF in both is what players take for a stream of unknown length."""
        # fmt: 16 bytes of it, PCM, one channel, samples/s, bytes/s, bytes per sample, bits per sample
        fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
        riff = struct.pack("<4sI4s", b"RIFF", riff_size, b"WAVE")
        return riff + fmt + struct.pack("<4sI", b"data", data_size)


class Mp3Encoder:
    """LAME at a constant bit rate. The first frame is the Xing/LAME tag, which `close` completes with the
    count of frames, the seek table, the delay and the padding: a decoder then gives back what was put in.

    That holds for every whole number of our 960-sample frames; other lengths may come back up to 46 samples
    longer, since libavformat miscounts a padding of more than one MP3 frame. Until `close` the tag claims no
    length and no delay: who listens along hears 24 ms of silence first.
    """

    def __init__(self) -> None:
        self._sink = _Sink()
        # An ID3 tag would stand before the Xing frame and say nothing; each frame is wanted as it is made.
        options = {"id3v2_version": "0", "flush_packets": "1"}
        self._container = av.open(self._sink, "w", format="mp3", options=options)
        self._stream = self._container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono")
        self._stream.bit_rate = MP3_BIT_RATE
        self._samples = 0

    def encode(self, pcm: Pcm) -> bytes:
        if len(pcm):
            frame = av.AudioFrame.from_ndarray(_clean(pcm)[np.newaxis], format="fltp", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = self._samples
            self._samples += len(pcm)
            self._container.mux(self._stream.encode(frame))
        return self._sink.take()

    def close(self) -> EncodedTail:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return EncodedTail(data=self._sink.take(), head=self._sink.head)


class _Sink:
    """The seekable file that libavformat believes it writes: it keeps only what `take` has not fetched yet.

    Its one seek back is to the start, to write the Xing frame again.
    """

    def __init__(self) -> None:
        self.head = b""
        self._pending = bytearray()
        self._size = 0
        self._position = 0

    def take(self) -> bytes:
        data = bytes(self._pending)
        self._pending.clear()
        return data

    def write(self, data: bytes) -> int:
        if self._position == self._size:
            self._pending += data
            self._size += len(data)
        elif self._position == len(self.head):
            self.head += data
        else:
            raise OSError(f"a write of {len(data)} bytes at {self._position} of {self._size}")
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        return self._position


FORMATS: dict[str, AudioFormat] = {
    "wav": AudioFormat(CONTENT_TYPES["wav"], WavEncoder),
    "mp3": AudioFormat(CONTENT_TYPES["mp3"], Mp3Encoder),
}


def open_encoder(name: str) -> Encoder:
    """Begin a file in the format of that name.

    Raises:
        KeyError: there is no such format.
    """
    return FORMATS[name].open()


def _clean(pcm: Pcm) -> Pcm:
    """Samples that any encoder can take: within [-1, 1], NaN as silence."""
    clipped = np.clip(np.nan_to_num(pcm, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    return clipped.astype(np.float32, copy=False)
