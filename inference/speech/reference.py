"""A customer's recording of a voice, decoded and checked, in a process of its own.

`python -m inference.speech.reference SOURCE TARGET FORMAT` reads the file SOURCE and writes its samples to TARGET:
16-bit PCM, mono, 24 kHz. It exits with `UNREADABLE` or `TOO_LONG` where the recording cannot be used. The kernel
bounds what a decoder may take, as in `inference.speech.conversion`.
"""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

from inference.audio import SAMPLE_RATE

DEMUXERS = {"wav": "wav", "mp3": "mp3", "flac": "flac", "ogg": "ogg", "opus": "ogg", "aac": "aac"}
"""FFmpeg's name for each format on offer. The format is never guessed: some of FFmpeg's open other files."""
MAX_SECONDS = 60
UNREADABLE = 3
TOO_LONG = 4


def command(source: Path, target: Path, *, format: str) -> list[str]:
    """The command that checks a local file."""
    return [sys.executable, "-m", "inference.speech.reference", str(source), str(target), format]


def decode(source: Path, target: Path, *, format: str) -> int:
    """Write the recording's samples; returns the exit status, 0 where it can be used."""
    import av  # within the limits
    import numpy as np
    from av.error import FFmpegError

    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    written = 0
    try:
        with av.open(str(source), "r", format=DEMUXERS[format]) as container, target.open("wb") as file:
            if not container.streams.audio:
                return UNREADABLE
            for frame in chain(container.decode(audio=0), (None,)):  # None: what the resampler still holds
                for part in resampler.resample(frame):
                    samples = np.ascontiguousarray(part.to_ndarray()[0], "<i2")
                    written += len(samples)
                    if written > MAX_SECONDS * SAMPLE_RATE:
                        return TOO_LONG
                    file.write(samples.tobytes())
    except (FFmpegError, ValueError):
        return UNREADABLE
    return 0 if written else UNREADABLE


if __name__ == "__main__":
    from inference.speech.conversion import limit

    limit()
    _source, _target, _format = sys.argv[1:]
    sys.exit(decode(Path(_source), Path(_target), format=_format))
