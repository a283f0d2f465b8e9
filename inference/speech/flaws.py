"""Why a recording of a voice cannot be used."""

from __future__ import annotations

from enum import IntEnum

MIN_SAMPLE_SECONDS = 3
"""Of a recording that is kept as a voice."""


class Flaw(IntEnum):
    """Why a recording cannot be used: the process's exit status."""

    UNREADABLE = 3
    TOO_LONG = 4
    TOO_SHORT = 5
    SILENT = 6
    TOO_QUIET = 7
    CLIPPED = 8
    NO_SPEECH = 9
    SEVERAL_SPEAKERS = 10
    NOT_THE_PHRASE = 11


def explain(status: int, *, format: str, seconds: int) -> str:
    """What a process's exit status, other than 0, says of the recording: "it is …"."""
    match status:
        case Flaw.TOO_LONG:
            return f"it is longer than {seconds} seconds"
        case Flaw.TOO_SHORT:
            return f"it is shorter than {MIN_SAMPLE_SECONDS} seconds"
        case Flaw.SILENT:
            return "it is silent"
        case Flaw.TOO_QUIET:
            return "it is too quiet: record closer to the microphone, or raise its level"
        case Flaw.CLIPPED:
            return "it is clipped: record at a lower level"
        case Flaw.NO_SPEECH:
            return "no speech was found in it"
        case Flaw.SEVERAL_SPEAKERS:
            return "more than one person seems to speak in it: record one person alone"
        case Flaw.NOT_THE_PHRASE:
            return "its length is not that of the consent phrase read aloud: read the phrase word for word"
    return f"it cannot be read as {format}"
