"""What hibari may be given to pronounce: words in Latin letters, and nothing that it takes for a command."""

from __future__ import annotations

import unicodedata

_BRACKETS = str.maketrans("[]", "  ")


def plain(sentence: str) -> str:
    """Without brackets: hibari reads [word](/phonemes/) as a pronunciation, and a customer's brackets are none."""
    return sentence.translate(_BRACKETS)


def foreign_letters(text: str) -> str:
    """The letters that are not Latin, each once and in order: hibari would read them as noise, or not at all."""
    letters = dict.fromkeys(filter(str.isalpha, text))
    return "".join(letter for letter in letters if not unicodedata.name(letter, "").startswith("LATIN"))


def script_refusal(text: str) -> str:
    """Why every engine refuses a request with this whole text for its scripts; empty if none does."""
    foreign = foreign_letters(text)
    return f"{len(foreign)} letters of other scripts than Latin" if foreign else ""
