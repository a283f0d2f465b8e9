"""From a job's text to what an engine speaks: normalised, cut into sentences, each with its voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from inference.engines.protocol import Segment
from inference.speech import text
from inference.speech.alignment import TracedSentence
from inference.speech.dialogue import split_lines
from inference.speech.pronunciation import NO_DICTIONARY, Dictionary, GivenPhonemes
from inference.speech.tracing import SourceTrace

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
    traced: tuple[TracedSentence, ...] = ()
    """The segments' texts with their places in the source, where that was asked for."""


def write(
    source: str,
    *,
    voice: str,
    voices: Mapping[str, str],
    max_frames: int,
    dictionary: Dictionary = NO_DICTIONARY,
    traced: bool = False,
) -> SpokenScript:
    """The script of what can be heard of `source` in `max_frames`; `voice` speaks what none of `voices` does.

    A request that pays for little makes little work, however long its text, and however long what a dictionary
    says in its place.
    """
    room = CHARACTERS_AT_LEAST + CHARACTERS_PER_FRAME * max_frames
    spoken: list[str] = []
    segments: list[Segment] = []
    places: list[TracedSentence] = []
    for line in split_lines(source):
        line_trace = SourceTrace(len(line.text)) if traced else None
        if line_trace is not None:
            line_trace.shift(line.start)
        said_by = voices.get(line.speaker, voice)
        said: list[str] = []
        for stretch, trace in dictionary.stretches(line.text, line_trace):
            if room < 0:
                break
            heard, room = _cut(stretch.text, room)
            own = SourceTrace(len(heard))
            normal = text.normalize(heard, own if traced or stretch.phonemes else None)
            sentences = _placed(normal)
            for start, sentence in sentences:
                part = own.cut(start, start + len(sentence)) if traced or stretch.phonemes else None
                phonemes = _moved(stretch.phonemes, part)
                segments.append(Segment(sentence, said_by, phonemes, rate=stretch.rate))
                if trace is not None and part is not None:
                    places.append(TracedSentence(sentence, part.through(trace)))
            if sentences:
                said.append(normal)
            if stretch.pause_ms is not None and segments:
                pause_ms = stretch.pause_ms if sentences else (segments[-1].pause_ms or 0) + stretch.pause_ms
                segments[-1] = replace(segments[-1], pause_ms=pause_ms)
        if said:
            spoken.append(f"[{line.speaker}] {' '.join(said)}" if line.speaker else " ".join(said))
    return SpokenScript(" ".join(spoken), tuple(segments), tuple(places))


def _placed(normal: str) -> list[tuple[int, str]]:
    """The sentences of a normalised text that have a word, each with the place where it begins."""
    placed: list[tuple[int, str]] = []
    at = 0
    for sentence in text.split_sentences(normal):
        at += len(normal[at:]) - len(normal[at:].lstrip())
        end = at + len(sentence)
        if text.has_word(sentence):
            placed.append((at, sentence))
        at = end
    return placed


def _moved(phonemes: tuple[GivenPhonemes, ...], trace: SourceTrace | None) -> tuple[GivenPhonemes, ...]:
    """The given phonemes whose words stand in a sentence, at their places there."""
    if trace is None:
        return ()
    moved: list[GivenPhonemes] = []
    for each in phonemes:
        spans = zip(trace.starts, trace.ends, strict=True)
        places = [n for n, (low, high) in enumerate(spans) if each.start <= low < high <= each.end]
        if places:
            moved.append(GivenPhonemes(places[0], places[-1] + 1, each.ipa))
    return tuple(moved)


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
