"""The sentences that `evaluate` judges: 300 of six kinds, of other words and patterns than the corpus is made of.

`data/hard.tsv` has 50 each of names, numbers, questions, lists, fragments and sentences of 40 words, as a customer
writes them. Numbers are read by the product's own normaliser.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference.speech.text import normalize

_FILE = Path(__file__).parent / "data" / "hard.tsv"
KINDS = 6


@dataclass(frozen=True, slots=True)
class HardSentence:
    kind: str
    text: str
    """Normalised, as the engine gets it."""


def hard_sentences(count: int) -> list[HardSentence]:
    """Return `count` of them, of all kinds in turn."""
    lines = [line.split("\t") for line in _FILE.read_text("utf-8").splitlines()]
    each = len(lines) // KINDS
    mixed = [lines[kind * each + n] for n in range(each) for kind in range(KINDS)]
    return [HardSentence(kind, normalize(text)) for kind, text in mixed[:count]]
