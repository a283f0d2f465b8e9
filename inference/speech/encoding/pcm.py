"""16-bit PCM, bare and behind a WAV header. Every sample leaves at once; nothing is held back."""

from __future__ import annotations

import struct

from inference.engines.protocol import SAMPLE_RATE, Pcm
from inference.speech.encoding.encoder import EncodedTail, as_int16

_UNKNOWN_SIZE = 0xFFFF_FFFF


class PcmEncoder:
    """Little-endian samples and nothing else."""

    def encode(self, pcm: Pcm) -> bytes:
        return as_int16(pcm).tobytes()

    def close(self) -> EncodedTail:
        return EncodedTail()


class WavEncoder:
    """The plain 44-byte header, then the samples, of which `sample_rate` go by in a second."""

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        self._sample_rate = sample_rate
        self._size = 0
        self._pending = self._header(_UNKNOWN_SIZE, _UNKNOWN_SIZE)

    def encode(self, pcm: Pcm) -> bytes:
        samples = as_int16(pcm).tobytes()
        self._size += len(samples)
        data, self._pending = self._pending + samples, b""
        return data

    def close(self) -> EncodedTail:
        return EncodedTail(data=self._pending, head=self._header(36 + self._size, self._size))

    def _header(self, riff_size: int, data_size: int) -> bytes:
        """Sizes in bytes; 0xFFFFFFFF in both is what players take for a stream of unknown length."""
        # fmt: 16 bytes of it, PCM, one channel, samples/s, bytes/s, bytes per sample, bits per sample
        fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, self._sample_rate, self._sample_rate * 2, 2, 16)
        riff = struct.pack("<4sI4s", b"RIFF", riff_size, b"WAVE")
        return riff + fmt + struct.pack("<4sI", b"data", data_size)
