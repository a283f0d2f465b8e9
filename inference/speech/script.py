"""From a job's text to what an engine speaks: normalised, cut into sentences, each with its voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inference.engine.protocol import Segment
from inference.speech import text
from inference.speech.dialogue import split_lines


@dataclass(frozen=True, slots=True)
class Script:
    """`transcript` is what will be heard, with the tags that say who speaks; no segment: nothing to speak."""

    transcript: str
    segments: tuple[Segment, ...]


def write(source: str, *, voice: str, voices: Mapping[str, str]) -> Script:
    """The script of `source`; `voice` speaks what no speaker in `voices` does."""
    spoken: list[str] = []
    segments: list[Segment] = []
    for line in split_lines(source):
        normal = text.normalize(line.text)
        sentences = text.split_sentences(normal)
        if sentences:
            spoken.append(f"[{line.speaker}] {normal}" if line.speaker else normal)
            segments += (Segment(sentence, voices.get(line.speaker, voice)) for sentence in sentences)
    return Script(" ".join(spoken), tuple(segments))
