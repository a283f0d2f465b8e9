"""Names said right: the rules of a pronunciation dictionary and the marks in a text, applied to a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from inference.speech import inline
from inference.speech.inline import MARK
from inference.speech.tracing import Edit, SourceTrace

MAX_RULES = 2_000
MAX_PART_WORD_RULES = 100
"""Rules that hold within words, too: each is looked for at each place of a text."""
MAX_CHARACTERS = 100
"""Of a rule's grapheme, and of how it is said."""
RATE_CHANGE_PAUSE_MS = 60
"""Silence between two stretches of different rates, which are sentences of their own to an engine."""
_TOKEN = re.compile(rf"{MARK.pattern}|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PronunciationRule:
    """`grapheme` is said as `say` is spelled, or by the phonemes `ipa`; it has one of the two."""

    grapheme: str
    say: str = ""
    ipa: str = ""
    case_sensitive: bool = False
    whole_word: bool = True
    priority: int = 0
    """Where several rules fit at one place, the highest wins, then the longest grapheme."""

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        return cls(**row)

    def fits(self, text: str, start: int) -> bool:
        end = start + len(self.grapheme)
        here = text[start:end]
        if here != self.grapheme and (self.case_sensitive or here.casefold() != self.grapheme.casefold()):
            return False
        return not (self.whole_word and (_goes_on(text, start) or _goes_on(text, end)))


@dataclass(frozen=True, slots=True)
class GivenPhonemes:
    """How a part of the text from `start` to `end` is said, in the International Phonetic Alphabet."""

    start: int
    end: int
    ipa: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A text without marks, the phonemes in it, its rate, and the silence after it; None after the last."""

    text: str
    phonemes: tuple[GivenPhonemes, ...]
    rate: float
    pause_ms: int | None


class Dictionary:
    """Rules by the first word of their graphemes, so that applying them costs what the text's length does."""

    def __init__(self, rules: Sequence[PronunciationRule] = ()) -> None:
        self._by_first: defaultdict[str, list[PronunciationRule]] = defaultdict(list)
        ordered = sorted(rules, key=lambda rule: (-rule.priority, -len(rule.grapheme)))
        self._within: dict[str, list[PronunciationRule]] = defaultdict(list)
        for rule in ordered:
            if rule.whole_word and (first := _TOKEN.match(rule.grapheme)):
                self._by_first[first[0].casefold()].append(rule)
            elif not rule.whole_word:
                self._within[rule.grapheme[:1].casefold()].append(rule)

    def stretches(self, text: str, trace: SourceTrace | None = None) -> list[tuple[Stretch, SourceTrace | None]]:
        """The text as it is to be said, in pieces that pauses end. Each has its part of the `trace`."""
        made: list[tuple[Stretch, SourceTrace | None]] = []
        start, rate = 0, 1.0
        edits: list[Edit] = []
        phonemes: list[GivenPhonemes] = []

        def end(at: int, pause: int | None) -> None:
            piece, part = text[start:at], trace.cut(start, at) if trace else None
            moved = [(low - start, high - start, new) for low, high, new in edits]
            if part is not None:
                part.edit(piece, moved)
            made.append((Stretch(_edited(piece, moved), tuple(phonemes), rate, pause), part))

        shift = 0  # how much longer than its source the stretch has become
        for found, rule in self._found(text):
            low, high = found
            if isinstance(rule, re.Match):
                label, kind, value = rule["label"], rule["kind"], rule["value"]
                if kind in ("pause", "rate"):
                    end(low, inline.pause_ms(value) if kind == "pause" else RATE_CHANGE_PAUSE_MS)
                    rate = inline.rate(value) if kind == "rate" else rate
                    start, shift, edits, phonemes = high, 0, [], []
                    continue
                new, ipa = (value, "") if kind == "say" else (label, value)
            else:
                new, ipa = (rule.say, "") if rule.say else (text[low:high], rule.ipa)
            if ipa:
                phonemes.append(GivenPhonemes(low - start + shift, low - start + shift + len(new), ipa))
            edits.append((low, high, new))
            shift += len(new) - (high - low)
        end(len(text), None)
        return made

    def _found(self, text: str) -> Iterator[tuple[tuple[int, int], PronunciationRule | re.Match[str]]]:
        """The marks and the places where a rule fits, in order and apart from each other."""
        at = 0
        for token in _TOKEN.finditer(text):
            if token["kind"]:
                at = token.end()
                yield token.span(), token
                continue
            if token.start() >= at and (rule := self._rule_at(text, token)):
                at = token.start() + len(rule.grapheme)
                yield (token.start(), at), rule
            elif self._within:
                for start in range(max(at, token.start()), token.end()):
                    if start >= at and (part := self._part_at(text, start)):
                        at = start + len(part.grapheme)
                        yield (start, at), part

    def _rule_at(self, text: str, token: re.Match[str]) -> PronunciationRule | None:
        rules = self._by_first.get(token[0].casefold(), ())
        return next((rule for rule in rules if rule.fits(text, token.start())), None)

    def _part_at(self, text: str, start: int) -> PronunciationRule | None:
        rules = self._within.get(text[start].casefold(), ())
        return next((rule for rule in rules if rule.fits(text, start)), None)


NO_DICTIONARY = Dictionary()
"""Marks in a text hold without any, too."""


def _goes_on(text: str, place: int) -> bool:
    """Whether a word goes on across this place."""
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()


def _edited(text: str, edits: Sequence[Edit]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, new in edits:
        parts += (text[at:start], new)
        at = end
    return "".join([*parts, text[at:]])
