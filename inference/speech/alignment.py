"""When each word of the given text is spoken: from what an engine knows of its audio, and from the text's trace.

The words are the given ones: "$5.20" has one time, though "five dollars and twenty cents" is what is said.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from inference.audio import SAMPLES_PER_FRAME, SAMPLES_PER_MS
from inference.speech.inline import MARK

if TYPE_CHECKING:
    from inference.engines.protocol import Chunk
    from inference.speech.tracing import SourceTrace

Granularity = Literal["word", "sentence"]
Quality = Literal["exact", "estimated"]
_TOKEN = re.compile(rf"{MARK.pattern}|\S+")
_SPOKEN_TOKEN = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Timed:
    """A word or a sentence of the given text, and when it is heard, in milliseconds of the audio."""

    text: str
    start_ms: int
    end_ms: int
    offset: int
    """Where it begins in the given text, in characters."""

    def as_list(self) -> list[Any]:
        return [self.text, self.start_ms, self.end_ms, self.offset]


@dataclass(frozen=True, slots=True)
class TracedSentence:
    """A segment's text, and where each of its characters comes from."""

    text: str
    trace: SourceTrace


class Aligner:
    """Follows one job's audio, and says of each word when it was, as soon as its end is known. Not thread-safe.

    Args:
        source: the given text.
        sentences: the segments in order.
        speed: how many times as fast as the engine's audio the result is.
    """

    def __init__(
        self, source: str, sentences: Sequence[TracedSentence], *, granularity: Granularity, speed: float = 1.0
    ) -> None:
        self._source = source
        self._sentences = sentences
        self._granularity = granularity
        self._speed = speed
        self._words = list(_words_of(source))
        self._starts = [start for start, _ in self._words]
        self._ends = [end for _, end in self._words]
        self._sentence = self._cursor = 0
        """The segment and the character in it after the last spoken word."""
        self._heard_to = 0
        """Samples of the engine's audio before the first sentence whose end is unknown."""
        self._ended = 0
        """Sentences whose end the engine has told."""
        self._open: _Group | None = None
        self._has_words = False
        self.quality: Quality = "estimated"

    def take(self, chunk: Chunk) -> list[Timed]:
        """The words whose end is known with this chunk."""
        found: list[Timed] = []
        for word in chunk.words:
            self._has_words, self.quality = True, "exact"
            if (place := self._find(word.text)) is not None:
                found += self._add(*place, word.start, word.end)
        if not self._has_words:
            if chunk.sentence_ends and self._granularity == "sentence":
                self.quality = "exact"
            for end in chunk.sentence_ends:
                found += self._spread([self._ended], self._heard_to, end)
                self._ended, self._heard_to = self._ended + 1, end
        return found

    def close(self, frames: int) -> list[Timed]:
        """The rest, when the audio has so many frames in all; nothing is said of words after its end."""
        found: list[Timed] = []
        end = round(frames * SAMPLES_PER_FRAME * self._speed)
        if not self._has_words and end > self._heard_to:
            found += self._spread(range(self._ended, len(self._sentences)), self._heard_to, end)
        found += self._flush()
        last_ms = frames * SAMPLES_PER_FRAME // SAMPLES_PER_MS
        return [
            Timed(each.text, each.start_ms, min(each.end_ms, last_ms), each.offset)
            for each in found
            if each.start_ms < last_ms
        ]

    def _find(self, text: str) -> tuple[int, int, int] | None:
        """Where a spoken word stands: (segment, start, end)."""
        for sentence in range(self._sentence, len(self._sentences)):
            start = self._sentences[sentence].text.find(text, self._cursor if sentence == self._sentence else 0)
            if start >= 0:
                self._sentence, self._cursor = sentence, start + len(text)
                return sentence, start, self._cursor
        return None

    def _spread(self, sentences: Sequence[int], start: int, end: int) -> list[Timed]:
        """Give each word of these sentences its share of the samples, by its length."""
        tokens = [
            (number, match)
            for number in sentences
            if number < len(self._sentences)
            for match in _SPOKEN_TOKEN.finditer(self._sentences[number].text)
        ]
        whole = sum(len(match[0]) + 1 for _, match in tokens)
        found: list[Timed] = []
        at = 0
        for number, match in tokens:
            share = len(match[0])
            begins, ends = (start + (end - start) * place // whole for place in (at, at + share))
            found += self._add(number, *match.span(), begins, ends)
            at += share + 1
        return found

    def _add(self, sentence: int, start: int, end: int, first_sample: int, last_sample: int) -> list[Timed]:
        """Note when a part of a sentence is spoken; returns what cannot become longer by now."""
        low, high = self._sentences[sentence].trace.of(start, end)
        if self._granularity == "sentence":
            first = last = sentence
        else:
            first = bisect_right(self._ends, low)
            last = bisect_left(self._starts, high) - 1
        if low == high or first > last:  # a word that nobody wrote
            return []
        group = self._open
        if group is not None and first <= group.last:
            group.last, group.end = max(group.last, last), max(group.end, last_sample)
            group.low, group.high = min(group.low, low), max(group.high, high)
            return []
        done = self._flush()
        self._open = _Group(first, last, first_sample, last_sample, low, high)
        return done

    def _flush(self) -> list[Timed]:
        group, self._open = self._open, None
        if group is None:
            return []
        if self._granularity == "sentence":
            words = [self._sentence_span(group)]
        else:
            words = [self._shown(self._words[number], group) for number in range(group.first, group.last + 1)]
        whole = sum(end - start for start, end in words)
        found = []
        at = 0
        for start, end in words:
            # Words that are said as one, as "3, 2027" is, share its time by their length.
            begins, ends = (
                group.start + (group.end - group.start) * place // whole for place in (at, at + end - start)
            )
            at += end - start
            found.append(Timed(self._source[start:end], self._ms(begins), self._ms(ends), start))
        return found

    def _sentence_span(self, group: _Group) -> tuple[int, int]:
        """From the start of its first given word to the end of its last."""
        first, last = bisect_right(self._ends, group.low), bisect_left(self._starts, group.high) - 1
        return (self._words[first][0], self._words[last][1]) if first <= last else (group.low, group.high)

    def _shown(self, word: tuple[int, int], group: _Group) -> tuple[int, int]:
        """The word as it is shown: of one with markup in it, what is said of it."""
        start, end = word
        if group.first == group.last and "<" in self._source[start:end]:
            return max(start, group.low), min(end, group.high)
        return word

    def _ms(self, samples: int) -> int:
        return round(samples / self._speed / SAMPLES_PER_MS)


@dataclass(slots=True)
class _Group:
    """Given words that are spoken together, and when; the last one may become longer."""

    first: int
    last: int
    start: int
    end: int
    low: int
    high: int


def _words_of(source: str) -> Iterator[tuple[int, int]]:
    """The given words' spans. Of one with a pronunciation, `[Nguyen](say:win)`, the word alone."""
    for match in _TOKEN.finditer(source):
        yield match.span("label") if match["label"] else match.span()
