"""A customer's recording of a voice, decoded and checked, in a process of its own.

`python -m inference.speech.reference SOURCE TARGET FORMAT SECONDS PURPOSE CHARACTERS` reads SOURCE and writes
TARGET as FLAC: mono, 24 kHz, 16 bit. CHARACTERS is the length of the phrase that is read in it, or 0. It exits
with a `Flaw` where the recording cannot be used. The kernel bounds what a decoder may take, as in
`inference.speech.conversion`.
"""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import Literal

from inference.audio import SAMPLE_RATE
from inference.speech.flaws import Flaw

DEMUXERS = {
    "wav": "wav",
    "mp3": "mp3",
    "flac": "flac",
    "ogg": "ogg",
    "opus": "ogg",
    "aac": "aac",
    "m4a": "mov",
    "mp4": "mov",
    "webm": "matroska",
}
"""FFmpeg's name for each format on offer. The format is never guessed: some of FFmpeg's open other files."""
MAX_SECONDS = 60
"""Of a recording that comes with a request."""
MAX_SAMPLE_SECONDS = 30
"""Of one that is kept as a voice."""
MAX_TRANSCRIBED_SECONDS = 20
"""Of one whose words are known. A prompt holds no more of a recording, and its words must be all that is heard."""
Purpose = Literal["request", "voice"]


def command(
    source: Path, target: Path, *, format: str, seconds: int, purpose: Purpose, phrase_characters: int = 0
) -> list[str]:
    """The command that checks a local file of at most `seconds`; a kept voice's is checked more strictly.

    Args:
        phrase_characters: the length of the phrase that is read in the recording; 0 where it may be any text.
    """
    arguments = [str(source), str(target), format, str(seconds), purpose, str(phrase_characters)]
    return [sys.executable, "-m", "inference.speech.reference", *arguments]


def decode(
    source: Path, target: Path, *, format: str, seconds: int, purpose: Purpose, phrase_characters: int = 0
) -> int:
    """Write the recording as FLAC; returns the exit status, 0 where it can be used."""
    import av  # within the limits
    import numpy as np
    from av.error import FFmpegError

    from inference.speech.encoding import open_encoder
    from inference.speech.recording_checks import flaw_of

    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    parts = [np.empty(0, np.float32)]
    left = seconds * SAMPLE_RATE
    options = {"protocol_whitelist": "file"}
    try:
        with av.open(str(source), "r", format=DEMUXERS[format], options=options) as container:
            if not container.streams.audio:
                return Flaw.UNREADABLE
            for frame in chain(container.decode(audio=0), (None,)):  # None: what the resampler still holds
                for part in resampler.resample(frame):
                    parts.append(part.to_ndarray()[0])
                    left -= len(parts[-1])
                    if left < 0:
                        return Flaw.TOO_LONG
    except (FFmpegError, ValueError):
        return Flaw.UNREADABLE
    samples = np.concatenate(parts)
    if not len(samples) or not np.isfinite(samples).all():
        return Flaw.UNREADABLE
    flaw = flaw_of(samples, sample_of_voice=purpose == "voice", phrase_characters=phrase_characters)
    if flaw is not None:
        return flaw
    encoder = open_encoder("flac")
    data = encoder.encode(samples)
    tail = encoder.close()
    with target.open("wb") as file:
        file.write(data + tail.data)
        file.seek(0)
        file.write(tail.head)
    return 0


if __name__ == "__main__":
    from inference.speech.conversion import limit

    limit()
    _source, _target, _format, _seconds, _purpose, _characters = sys.argv[1:]
    sys.exit(
        decode(
            Path(_source),
            Path(_target),
            format=_format,
            seconds=int(_seconds),
            purpose="voice" if _purpose == "voice" else "request",
            phrase_characters=int(_characters),
        )
    )
