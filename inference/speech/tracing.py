"""Where in the source each character of a normalised text comes from: from a spoken word to the written one."""

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable
from functools import cache
from typing import Self

Edit = tuple[int, int, str]
"""(start, end, new): what stands from `start` to `end` becomes `new`."""
_TOKEN = re.compile(r"\S+")


class SourceTrace:
    """The span of the source behind each character of a text in the making.

    What a rule says in place of a word has that word's span, whole; what it leaves as it is keeps its own.
    """

    def __init__(self, length: int) -> None:
        self.starts = array("I", range(length))
        self.ends = array("I", range(1, length + 1))

    def edit(self, old: str, edits: Iterable[Edit]) -> None:
        """Follow edits of the whole text `old`, in order and apart from each other."""
        starts, ends = array("I"), array("I")
        at = 0
        for start, end, new in edits:
            kept_before, kept_after = _kept(old[start:end], new)
            low, high = start + kept_before, end - kept_after
            starts += self.starts[at:low]
            ends += self.ends[at:low]
            made = len(new) - kept_before - kept_after
            # An insertion comes from nowhere: an empty span, at its place.
            before = self.ends[low - 1] if low else 0
            starts += array("I", [self.starts[low] if low < high else before]) * made
            ends += array("I", [self.ends[high - 1] if low < high else before]) * made
            at = high
        self.starts = starts + self.starts[at:]
        self.ends = ends + self.ends[at:]

    def cut(self, start: int, end: int) -> Self:
        """That of a part of the text."""
        part = type(self)(0)
        part.starts, part.ends = self.starts[start:end], self.ends[start:end]
        return part

    def shift(self, by: int) -> None:
        """The source is a part of a longer one, and begins there."""
        self.starts = array("I", (start + by for start in self.starts))
        self.ends = array("I", (end + by for end in self.ends))

    def through(self, source: Self) -> Self:
        """The trace through a text in between: this one's source is the text that `source` traces."""
        made = type(self)(0)
        of = cache(source.of)
        spans = [of(low, high) for low, high in zip(self.starts, self.ends, strict=True)]
        made.starts, made.ends = array("I", (low for low, _ in spans)), array("I", (high for _, high in spans))
        return made

    def of(self, start: int, end: int) -> tuple[int, int]:
        """The source's span behind a part of the text; empty where nothing of it comes from the source."""
        lows, highs = self.starts[start:end], self.ends[start:end]
        spans = [(low, high) for low, high in zip(lows, highs, strict=True) if low < high]
        return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else (0, 0)


def substitute(
    pattern: re.Pattern[str], said: str | Callable[[re.Match[str]], str], text: str, trace: SourceTrace | None
) -> str:
    """`pattern.sub(said, text)`, followed by the trace where there is one."""
    if trace is None:
        return pattern.sub(said, text)
    edits: list[Edit] = []

    def noted(match: re.Match[str]) -> str:
        new = match.expand(said) if isinstance(said, str) else said(match)
        if new != match[0]:
            edits.append((match.start(), match.end(), new))
        return new

    made = pattern.sub(noted, text)
    if edits:
        trace.edit(text, edits)
    return made


def composed(text: str, trace: SourceTrace | None) -> str:
    """The text in NFC."""
    made = unicodedata.normalize("NFC", text)
    if trace is None or made == text:
        return made
    return substitute(_TOKEN, lambda match: unicodedata.normalize("NFC", match[0]), text, trace)


def stripped(text: str, trace: SourceTrace | None) -> str:
    made = text.strip()
    if trace is not None and made != text:
        start = len(text) - len(text.lstrip())
        trace.edit(text, [(0, start, ""), (start + len(made), len(text), "")] if made else [(0, len(text), "")])
    return made


def _kept(old: str, new: str) -> tuple[int, int]:
    """How many characters at the start and at the end are whole words that stay as they are."""
    before = _common(old, new)
    rest_old, rest_new = old[before:], new[before:]
    return before, _common(rest_old[::-1], rest_new[::-1])


def _common(one: str, other: str) -> int:
    """The common beginning up to a space of both; all of it where one ends there and the other has a space."""
    pairs = enumerate(zip(one, other, strict=False))
    length = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    if all(len(each) == length or each[length].isspace() for each in (one, other)):
        return length
    while length and not one[length - 1].isspace():
        length -= 1
    return length
