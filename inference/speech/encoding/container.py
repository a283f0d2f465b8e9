"""Compressed formats, by FFmpeg's encoders and muxers through PyAV."""

from __future__ import annotations

from typing import ClassVar, cast

import av
import numpy as np

from inference.engines.protocol import SAMPLE_RATE, Pcm
from inference.speech.encoding.encoder import EncodedTail, as_int16, clean


class ContainerEncoder:
    """An encoder and its muxer; what a format needs is said by its class."""

    muxer: ClassVar[str]
    codec: ClassVar[str]
    sample_format: ClassVar[str] = "fltp"
    bit_rate: ClassVar[int | None] = None
    """Bits per second."""
    options: ClassVar[dict[str, str]] = {}

    def __init__(self, *, sample_rate: int = SAMPLE_RATE, bit_rate: int | None = None) -> None:
        """Args: `sample_rate` of what is put in; `bit_rate` where it is not to be the format's usual one."""
        self._sample_rate = sample_rate
        self._sink = _Sink()
        # Each packet is wanted as it is made, and no chance in the bytes (Ogg would draw a serial number).
        options = {"flush_packets": "1", "fflags": "+bitexact", **self.options}
        self._container = av.open(self._sink, "w", format=self.muxer, options=options)
        stream = self._container.add_stream(self.codec, rate=sample_rate, layout="mono")
        self._stream = cast("av.AudioStream", stream)
        self._stream.format = self.sample_format
        if (bits := bit_rate or self.bit_rate) is not None:
            self._stream.bit_rate = bits
        self._samples = 0

    def encode(self, pcm: Pcm) -> bytes:
        if len(pcm):
            samples = as_int16(pcm) if self.sample_format == "s16" else clean(pcm)
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format=self.sample_format, layout="mono")
            frame.sample_rate = self._sample_rate
            frame.pts = self._samples
            self._samples += len(pcm)
            self._container.mux(self._stream.encode(frame))
        return self._sink.take()

    def close(self) -> EncodedTail:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return EncodedTail(data=self._sink.take(), head=self._sink.head)


class Mp3Encoder(ContainerEncoder):
    """LAME at a constant bit rate. The first frame is the Xing/LAME tag, which `close` completes with the
    count of frames, the seek table, the delay and the padding: a decoder then gives back what was put in.

    That holds for every whole number of our 960-sample frames; other lengths may come back up to 46 samples
    longer, since libavformat miscounts a padding of more than one MP3 frame. Until `close` the tag claims no
    length and no delay: who listens along hears 24 ms of silence first.

    The bit rate is constant so that a player can tell time and seek in a stream whose head it has not seen
    corrected; it is plenty for speech in mono at 24 kHz. LAME puts it 0.4 dB below its input, as headroom.
    """

    muxer = "mp3"
    codec = "libmp3lame"
    bit_rate = 96_000
    options: ClassVar = {"id3v2_version": "0"}  # an ID3 tag would stand before the Xing frame and say nothing


class OpusEncoder(ContainerEncoder):
    """Opus in Ogg, which counts at 48 kHz whatever goes in. Pages are short, so that little is held back; the
    first page says what to skip and the last one where the audio ends, so that the length is exact.
    """

    muxer = "ogg"
    codec = "libopus"
    sample_format = "flt"
    bit_rate = 48_000
    options: ClassVar = {"page_duration": "20000"}  # microseconds


class WebmOpusEncoder(ContainerEncoder):
    """Opus in WebM, which browsers play through Media Source Extensions.

    A cluster ends after a chunk at the latest, so that little is held back. The duration in the head and the index
    to seek by at the end are written when the length is known.
    """

    muxer = "webm"
    codec = "libopus"
    sample_format = "flt"
    bit_rate = 48_000
    options: ClassVar = {"cluster_time_limit": "80"}  # milliseconds


class MulawEncoder(ContainerEncoder):
    """G.711 mu-law as telephony sends it: a byte a sample, 160 of them in 20 ms, and no header."""

    muxer = "mulaw"
    codec = "pcm_mulaw"
    sample_format = "s16"


class AlawEncoder(ContainerEncoder):
    """G.711 A-law, as `MulawEncoder`."""

    muxer = "alaw"
    codec = "pcm_alaw"
    sample_format = "s16"


class AacEncoder(ContainerEncoder):
    """AAC-LC in ADTS, which has no place for a length: the encoder's 1024 samples of delay are heard as silence
    first, and the last frame is filled up with silence, 3072 samples in all at most.
    """

    muxer = "adts"
    codec = "aac"
    bit_rate = 96_000


class FlacEncoder(ContainerEncoder):
    """FLAC of the 16-bit samples, bit for bit. Its head says how many there are once they are known."""

    muxer = "flac"
    codec = "flac"
    sample_format = "s16"
    options: ClassVar = {"metadata_header_padding": "0"}  # else 8 KB of nothing at the start of a stream


class _Sink:
    """The seekable file that libavformat believes it writes: it keeps only what `take` has not fetched yet, and
    the beginning, to which some muxers come back at the end.
    """

    KEPT_BYTES = 4096

    def __init__(self) -> None:
        self._start = bytearray()
        self._patched = 0
        self._pending = bytearray()
        self._size = 0
        self._position = 0

    @property
    def head(self) -> bytes:
        """The beginning up to the last byte that was written anew."""
        return bytes(self._start[: self._patched])

    def take(self) -> bytes:
        data = bytes(self._pending)
        self._pending.clear()
        return data

    def write(self, data: bytes) -> int:
        end = self._position + len(data)
        if self._position == self._size:
            self._start += data[: max(0, self.KEPT_BYTES - self._size)]
            self._pending += data
            self._size = end
        elif end <= len(self._start):
            self._start[self._position : end] = data
            self._patched = max(self._patched, end)
        else:
            raise OSError(f"a write of {len(data)} bytes at {self._position} of {self._size}")
        self._position = end
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        return self._position
