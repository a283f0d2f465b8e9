"""From a job's text to what an engine speaks: normalised, cut into sentences, each with its voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inference.engines.protocol import Segment
from inference.speech import text
from inference.speech.dialogue import split_lines

CHARACTERS_PER_FRAME = 4
"""A hundred a second, several times as many as anybody speaks."""
CHARACTERS_AT_LEAST = 300
"""Enough text for a short answer to be a whole sentence, with its intonation."""
LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class SpokenScript:
    """`transcript` is what will be heard, with the tags that say who speaks. Each segment has a word; a text
    without any has no segment."""

    transcript: str
    segments: tuple[Segment, ...]


def write(source: str, *, voice: str, voices: Mapping[str, str], max_frames: int) -> SpokenScript:
    """The script of what can be heard of `source` in `max_frames`; `voice` speaks what none of `voices` does.

    A request that pays for little makes little work, however long its text.
    """
    room = CHARACTERS_AT_LEAST + CHARACTERS_PER_FRAME * max_frames
    spoken: list[str] = []
    segments: list[Segment] = []
    for line in split_lines(source):
        if room < 0:
            break
        heard, room = _cut(line.text, room)
        normal = text.normalize(heard)
        sentences = [sentence for sentence in text.split_sentences(normal) if text.has_word(sentence)]
        if sentences:
            spoken.append(f"[{line.speaker}] {normal}" if line.speaker else normal)
            segments += (Segment(sentence, voices.get(line.speaker, voice)) for sentence in sentences)
    return SpokenScript(" ".join(spoken), tuple(segments))


def _cut(said: str, room: int) -> tuple[str, int]:
    """`said` up to the word that fills `room`, though never before its first word, and the room that is left."""
    worded = False
    for position, char in enumerate(said):
        if room < 0 and worded and (char.isspace() or room < -LONGEST_WORD):
            return said[:position], room
        if not worded and char.isalnum():
            worded, room = True, max(room, CHARACTERS_AT_LEAST)
        room -= not char.isspace()
    return said, room
