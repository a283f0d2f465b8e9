"""Sentences of a text that is still being written: each is cut off as soon as it is sure to be whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CHARACTERS = 300
"""Of a piece. A longer sentence is cut after a clause, else between words."""
QUOTES = "\"')]”’»"
LEAST_CLAUSE = 80
"""A clause that is cut off has at least so many characters: a shorter one would sound like a fragment."""
_END = re.compile(r"(?<![.!?…。])[.!?…。]++[\"')\]”’»]*+(?=\s)|\n\s*\n|\n(?=\s*\S)")
_CLAUSE = re.compile(r"[,;:—](?=\s)")
_LAST_WORD = re.compile(r"([^\W\d_][\w.]*)\.[\"')\]”’»]*\Z")
_ABBREVIATIONS = frozenset(
    [
        "approx",
        "cf",
        "co",
        "col",
        "corp",
        "dept",
        "dr",
        "e.g",
        "eq",
        "est",
        "etc",
        "fig",
        "gen",
        "gov",
        "hon",
        "i.e",
        "inc",
        "jr",
        "lt",
        "ltd",
        "mr",
        "mrs",
        "ms",
        "mt",
        "no",
        "p.m",
        "a.m",
        "prof",
        "rep",
        "rev",
        "sen",
        "sgt",
        "sr",
        "st",
        "vol",
        "vs",
    ]
)
_MARK = re.compile(r"\[[^\[\]\n]{0,200}\]\([^()\n]{0,200}\)")
_MARK_OPEN = re.compile(r"\[[^\[\]\n]{0,200}(\](\([^()\n]{0,200})?)?\Z")
"""A mark, `[Nguyen](say:win)`, of which the end has not come yet."""


@dataclass(frozen=True, slots=True)
class IncomingSentence:
    """A piece to speak; `offset` is where it begins in all that has come."""

    text: str
    offset: int


class SentenceCutter:
    """Takes pieces of a text and gives its sentences. Joined, they are the text again."""

    def __init__(self) -> None:
        self._waiting = ""
        self._offset = 0

    @property
    def waiting(self) -> int:
        """Characters that are in no sentence yet."""
        return len(self._waiting)

    def push(self, piece: str) -> list[IncomingSentence]:
        """Take the next piece, and return what is whole by now."""
        self._waiting += piece
        found: list[IncomingSentence] = []
        while end := self._sure_end():
            found += self._cut(end)
        return found

    def flush(self) -> list[IncomingSentence]:
        """The rest, whole or not."""
        return self._cut(len(self._waiting))

    def _cut(self, end: int) -> list[IncomingSentence]:
        text, self._waiting = self._waiting[:end], self._waiting[end:]
        begun = len(text) - len(text.lstrip())
        sentence = IncomingSentence(text.strip(), self._offset + begun)
        self._offset += end
        return [sentence] if sentence.text else []

    def _sure_end(self) -> int:
        """Where the first sentence ends; 0 where that is not sure yet."""
        text = self._waiting
        held = open_mark.start() if (open_mark := _MARK_OPEN.search(text)) else len(text)
        for end in _END.finditer(text, 0, min(len(text), MOST_CHARACTERS + 100)):
            if end.end() > min(held, MOST_CHARACTERS):
                break
            if not text[: end.end()].strip() or _within_mark(text, end.start()):
                continue
            following = text[end.end() :].lstrip()
            if end[0][:1] == "\n" or end[0].strip(QUOTES) != ".":
                if not following and (end[0][0] == "…" or end[0][-1] in QUOTES):
                    return 0  # "Really?" she asked
                if not following[:1].islower() or end[0][:1] == "\n":
                    return end.end()
            elif _ends_sentence(text[: end.end()], following):
                return end.end()
            elif not following:
                return 0
        return self._cut_of_long(held) if held >= MOST_CHARACTERS else 0

    def _cut_of_long(self, held: int) -> int:
        text = self._waiting[: min(held, MOST_CHARACTERS)]
        clauses = [clause.end() for clause in _CLAUSE.finditer(text) if clause.end() >= LEAST_CLAUSE]
        return clauses[-1] if clauses else text.rfind(" ") + 1 or len(text)


def _ends_sentence(text: str, following: str) -> bool:
    """Whether a full stop ends its sentence, as far as what follows tells."""
    word = _LAST_WORD.search(text)
    if word is None:  # a number, or a bracket
        return bool(following) and not following[:1].islower()
    name = word[1].lower()
    if name in _ABBREVIATIONS or len(name) == 1 or "." in name:
        return False
    return not following[:1].islower()


def _within_mark(text: str, place: int) -> bool:
    start = text.rfind("[", max(0, place - 400), place)
    mark = _MARK.match(text, start) if start >= 0 else None
    return mark is not None and place < mark.end()
