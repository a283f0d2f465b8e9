"""Stored audio in another format, piece by piece, in a process of its own.

`python -m inference.speech.conversion SOURCE TARGET FROM TO SAMPLES` reads one file and writes another. Whatever a
decoder makes of a file, it hurts this process alone: its memory, its time on the processor and what it writes are
limited by the kernel. The whole audio is never in memory.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from inference.audio import SAMPLE_RATE, SAMPLES_PER_FRAME
from inference.speech.formats import AudioFormat

if TYPE_CHECKING:
    from inference.engines.protocol import Pcm

# What decodes is imported where it runs: within the limits, and not by the gateway, which it would take 40 MB.

MEMORY_BYTES = 1 << 30
"""Of address space, most of which is libraries; a conversion touches about 100 MB of it."""
CPU_SECONDS = 120
"""Fifteen minutes of audio, the longest there is, take about ten."""
FILE_BYTES = 1 << 28
"""Fifteen minutes of WAV are 43 MB."""
NICENESS = 10
_PIECE_FRAMES = 250
_BARE = {"pcm": "s16le", "mulaw": "mulaw", "alaw": "alaw"}
"""FFmpeg's demuxer of each format without a head."""


def command(source: Path, target: Path, *, source_format: str, target_format: str, samples: int) -> list[str]:
    """What runs the conversion of a local file into another."""
    arguments = [str(source), str(target), source_format, target_format, str(samples)]
    return [sys.executable, "-m", "inference.speech.conversion", *arguments]


def convert(source: Path, target: Path, *, source_format: str, target_format: str, samples: int) -> None:
    """Write `source` to `target` in the other format; the same input gives the same bytes.

    Args:
        samples: how many there are; an encoder's padding beyond them is left out.
    """
    from inference.speech.encoding import open_encoder

    encoder = open_encoder(target_format, measured=_loudness(source, source_format, target_format))
    left = samples
    with target.open("wb") as file:
        for piece in _decoded(source, source_format):
            file.write(encoder.encode(piece[:left]))
            left -= len(piece[:left])
            if not left:
                break
        tail = encoder.close()
        file.write(tail.data)
        file.seek(0)
        file.write(tail.head)


def _loudness(source: Path, source_format: str, target_format: str) -> float | None:
    """The source's loudness in LUFS, where the other format asks for one: the file is at hand, so it is exact."""
    if AudioFormat.parse(target_format).loudness is None:
        return None
    from inference.speech.encoding.resampling import Meter

    meter = Meter()
    for piece in _decoded(source, source_format):
        meter.push(piece)
    return meter.loudness


def _decoded(path: Path, format: str) -> Iterator[Pcm]:
    """The file's samples, a few seconds at a time: pieces of one length, whatever the container's packets are."""
    import numpy as np

    step = _PIECE_FRAMES * SAMPLES_PER_FRAME
    waiting: list[Pcm] = []
    source = AudioFormat.parse(format)
    for piece in _bare(path, source, step) if source.name in _BARE else _packets(path):
        waiting.append(piece)
        if sum(map(len, waiting)) >= step:
            joined = np.concatenate(waiting)
            whole = len(joined) - len(joined) % step
            for start in range(0, whole, step):
                yield joined[start : start + step]
            waiting = [joined[whole:]]
    if waiting:
        yield np.concatenate(waiting)


def _bare(path: Path, format: AudioFormat, step: int) -> Iterator[Pcm]:
    """A file without a head, which says nothing of itself: the format says it."""
    if format.name == "pcm" and format.sample_rate == SAMPLE_RATE:
        yield from _pcm(path, step)
    else:
        demuxer = _BARE[format.name]
        yield from _packets(path, demuxer, {"sample_rate": str(format.sample_rate)})


def _pcm(path: Path, step: int) -> Iterator[Pcm]:
    import numpy as np

    with path.open("rb") as file:
        while data := file.read(2 * step):
            yield (np.frombuffer(data, "<i2") / 32767).astype(np.float32)


def _packets(path: Path, demuxer: str | None = None, options: dict[str, str] | None = None) -> Iterator[Pcm]:
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path), "r", format=demuxer, options=options or {}) as container:
        for frame in container.decode(audio=0):
            for resampled in resampler.resample(frame):
                yield resampled.to_ndarray()[0]
    for resampled in resampler.resample(None):
        yield resampled.to_ndarray()[0]


def limit() -> None:
    """Bound what this process may take."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # each thread's stack would count


if __name__ == "__main__":
    limit()
    _source, _target, _source_format, _target_format, _samples = sys.argv[1:]
    convert(
        Path(_source),
        Path(_target),
        source_format=_source_format,
        target_format=_target_format,
        samples=int(_samples),
    )
