"""Splits a text at its `[SPEAKER0]` tags. A tag is not spoken; it names the speaker of the text after it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r"\[(SPEAKER\d{1,2})\]")


@dataclass(frozen=True, slots=True)
class SpeakerLine:
    """What one speaker says; `speaker` is "" before the first tag."""

    speaker: str
    text: str


def split_lines(text: str) -> list[SpeakerLine]:
    """The lines in order; a text without tags is one."""
    first, *tagged = _TAG.split(text)
    lines = [SpeakerLine("", first), *map(SpeakerLine, tagged[::2], tagged[1::2])]
    return [line for line in lines if line.text.strip()]


def speakers_of(text: str) -> list[str]:
    """The speakers, in the order in which they first speak."""
    return list(dict.fromkeys(line.speaker for line in split_lines(text) if line.speaker))
