"""What hibari may be given to pronounce: words in Latin letters, and no command but phonemes that were given."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from inference.speech.misaki import in_misaki
from inference.speech.pronunciation import GivenPhonemes

_BRACKETS = str.maketrans("[]", "  ")


def plain(sentence: str) -> str:
    """Without brackets: hibari reads [word](/phonemes/) as a pronunciation, and a customer's brackets are none."""
    return sentence.translate(_BRACKETS)


def linked(sentence: str, said: Sequence[GivenPhonemes], read: Callable[[str], str] = str) -> str:
    """The sentence in hibari's notation, [word](/phonemes/), where phonemes are given.

    Args:
        read: makes of the text between them what hibari is to read.
    """
    parts: list[str] = []
    at = 0
    for each in said:
        word, phonemes = plain(sentence[each.start : each.end]).strip(), in_misaki(each.ipa)
        parts += (read(plain(sentence[at : each.start])), f"[{word}](/{phonemes}/)" if word and phonemes else word)
        at = each.end
    return "".join([*parts, read(plain(sentence[at:]))])


def foreign_letters(text: str) -> str:
    """The letters that are not Latin, each once and in order: hibari would read them as noise, or not at all."""
    letters = dict.fromkeys(filter(str.isalpha, text))
    return "".join(letter for letter in letters if not unicodedata.name(letter, "").startswith("LATIN"))


def script_refusal(text: str) -> str:
    """Why every engine refuses a request with this whole text for its scripts; empty if none does."""
    foreign = foreign_letters(text)
    return f"{len(foreign)} letters of other scripts than Latin" if foreign else ""
