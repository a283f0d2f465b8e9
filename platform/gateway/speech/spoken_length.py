"""How long a text takes to speak, by what its letters and signs weigh."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway.schemas import MAX_TEXT_CHARACTERS, TOKENS_PER_TEXT
from inference.audio import FRAME_RATE
from inference.speech.dialogue import split_lines
from inference.speech.pronunciation import NO_DICTIONARY, Dictionary

LETTERS_PER_SECOND = 15
EXPECTED_MARGIN_SECONDS = 1
"""What a short text may take beside its letters."""
BOUND_FACTOR = 3
"""How many times its expected speaking time a text may take."""
BOUND_MARGIN_SECONDS = 4
SYMBOL_WEIGHT = 8
"""A digit or a sign stands for a word: "7" is "seven", "%" is "percent"."""


@dataclass(frozen=True, slots=True)
class SpokenLength:
    """How many frames a text may take to speak."""

    expected_frames: int
    most_frames: int
    """The bound where the client sets no cap."""


def spoken_length(text: str, *, speed: float = 1.0, dictionary: Dictionary = NO_DICTIONARY) -> SpokenLength:
    """How long `text` takes to speak by what its letters and signs weigh, and a multiple of that as the bound.

    Slower speech is longer; faster speech is billed by what the engine speaks, which is as long. What a dictionary
    or a mark says in place of a word counts as it is said.
    """
    stretches = [each for line in split_lines(text) for each, _ in dictionary.stretches(line.text)]
    weight = sum(_weight(each.text) / min(each.rate, 1.0) for each in stretches)
    pauses = sum(each.pause_ms or 0 for each in stretches) / 1000
    said = weight / LETTERS_PER_SECOND
    most = TOKENS_PER_TEXT * math.ceil(len(text) / MAX_TEXT_CHARACTERS)

    def frames(seconds: float) -> int:
        return min(math.ceil((seconds + pauses) / min(speed, 1.0) * FRAME_RATE), most)

    return SpokenLength(
        expected_frames=frames(said + EXPECTED_MARGIN_SECONDS),
        most_frames=frames(BOUND_FACTOR * said + BOUND_MARGIN_SECONDS),
    )


def _weight(said: str) -> int:
    return sum(1 if c.isalpha() or c.isspace() else SYMBOL_WEIGHT for c in said)
