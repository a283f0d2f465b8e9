"""Count what a recogniser heard wrongly, and tell a slip from a failure.

A failure is what a customer hangs up on: words left out, words said twice, most of a sentence wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

RUN = 3
"""Words in a row that are missing or added, from which on it is a skip or a repeat."""


@dataclass(frozen=True, slots=True)
class Errors:
    words: int
    word_errors: int
    signs: int
    sign_errors: int
    missing: int
    """The longest run of words left out."""
    added: int
    """The longest run of words that do not belong there."""

    @property
    def failed(self) -> bool:
        return self.missing >= RUN or self.added >= RUN or 2 * self.word_errors > self.words


def count_errors(text: str, heard: str) -> Errors:
    """Compare the two as Whisper's normaliser writes them: without case and punctuation, numbers in digits.

    Each digit counts as a word: how a recogniser groups those of a telephone number or a time is its own.
    """
    expected, got = _written(text), _written(heard)
    words, signs = jiwer.process_words(expected, got), jiwer.process_characters(expected, got)
    (chunks,) = words.alignments
    return Errors(
        *_counts(words),
        *_counts(signs),
        missing=_longest(chunks, "delete", "ref"),
        added=_longest(chunks, "insert", "hyp"),
    )


def _written(text: str) -> str:
    return re.sub(r"(?<=\d)[.:]?(?=\d)", " ", _normalizer()(text))


@cache
def _normalizer() -> EnglishTextNormalizer:
    return EnglishTextNormalizer()


def _counts(output: Any) -> tuple[int, int]:
    """Units of the reference, and errors."""
    missed = output.substitutions + output.deletions
    return output.hits + missed, missed + output.insertions


def _longest(chunks: list[Any], kind: str, side: str) -> int:
    lengths = [
        getattr(chunk, f"{side}_end_idx") - getattr(chunk, f"{side}_start_idx")
        for chunk in chunks
        if chunk.type == kind
    ]
    return max(lengths, default=0)
