"""Division of a text into sentences, and of long sentences into pieces that can be spoken."""

import re
from collections.abc import Iterator

from .abbreviations import TITLES
from .rules import STARTERS

_END = re.compile(r"(?<![.!?…])[.!?…]++[\"')\]]*+(?=\s)")
_NEXT = re.compile(r"\s++[\"'(\[¿¡—]*+\s*+(\w+)")
_LAST_WORD = re.compile(r"([^\W\d_](?:\.?[^\W\d_])*)\.\Z")
_ABBREVIATED = frozenset(TITLES) | {"vs", "e.g", "i.e", "approx", "Jr", "Sr", "No", "cf", "al"}
_LONGEST_ABBREVIATION = 8
# A lone A or I after an initial is one more initial.
_OPENERS = STARTERS - {"A", "I"}
# Hangul fillers: invisible, although Unicode classes them as letters.
_FILLERS = "\u115f\u1160\u3164\uffa0"
_CLAUSE = re.compile(r"[,;:—](?=\s)")


def split_sentences(text: str, *, limit: int = 300) -> list[str]:
    """The sentences of a normalised text, none longer than `limit` characters.

    A longer sentence is divided at the marks between its clauses, then between words, and a longer word
    anywhere. Joined with spaces the pieces are the text again, but for its white space.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    pieces: list[str] = []
    for sentence in _sentences(" ".join(text.split())):
        for piece in _shortened(sentence, limit):
            # Marks without words cannot be spoken alone.
            if pieces and not any(map(str.isalnum, piece)) and len(pieces[-1]) + 1 + len(piece) <= limit:
                pieces[-1] += " " + piece
            else:
                pieces.append(piece)
    return pieces


def has_word(text: str) -> bool:
    """Whether a normalised text has a letter or a digit that is heard."""
    return any(char.isalnum() and char not in _FILLERS for char in text)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        if _ends(text, start, end):
            yield text[start : end.end()]
            start = end.end() + 1
    if start < len(text):
        yield text[start:]


def _ends(text: str, start: int, end: re.Match[str]) -> bool:
    if end[0] != ".":
        # "Go!" he said, and a pause… within a sentence.
        following = _NEXT.match(text, end.end())
        goes_on = end[0][-1] not in ".!?"
        return not (goes_on and following and following[1][0].islower())
    word = _LAST_WORD.search(text[max(start, end.start() - _LONGEST_ABBREVIATION) : end.end()])
    if not word:
        return True
    if len(word[1]) == 1 and word[1].isupper() and word[1] != "I":
        following = _NEXT.match(text, end.end())
        return following is not None and following[1] in _OPENERS
    return word[1] not in _ABBREVIATED


def _shortened(sentence: str, limit: int) -> Iterator[str]:
    start = 0
    while len(sentence) - start > limit:
        end = _cut(sentence, start, limit)
        yield sentence[start:end].strip()
        start = end + (sentence[end : end + 1] == " ")
    if start < len(sentence):
        yield sentence[start:]


def _cut(sentence: str, start: int, limit: int) -> int:
    """Where to cut: after the last clause, else before the last word, else in the middle of one."""
    window = sentence[start : start + limit + 1]
    # A clause that fills less than a third of the piece would be spoken as a fragment.
    clauses = [clause.end() for clause in _CLAUSE.finditer(window) if clause.end() * 3 > limit]
    if clauses:
        return start + clauses[-1]
    space = window.rfind(" ")
    return start + (space if space > 0 else limit)
