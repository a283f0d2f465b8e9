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
    start: int = 0
    """Where the text begins in the whole."""


def split_lines(text: str) -> list[SpeakerLine]:
    """The lines in order; a text without tags is one."""
    tags = list(_TAG.finditer(text))
    starts = [0, *(tag.end() for tag in tags)]
    ends = [*(tag.start() for tag in tags), len(text)]
    speakers = ["", *(tag[1] for tag in tags)]
    lines = zip(speakers, starts, ends, strict=True)
    return [SpeakerLine(who, text[start:end], start) for who, start, end in lines if text[start:end].strip()]


def speakers_of(text: str) -> list[str]:
    """The speakers, in the order in which they first speak."""
    return list(dict.fromkeys(line.speaker for line in split_lines(text) if line.speaker))
