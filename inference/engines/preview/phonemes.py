"""From a normalised sentence to the network's phonemes, word by word, by hibari's own rules and lexicon."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hibari
from hibari.g2p import G2P

from inference.speech.pronounceable import linked
from inference.speech.pronunciation import GivenPhonemes

PAD = 0


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the sentence and the phonemes it became."""

    text: str
    start: int
    """Index of its first phoneme in `Phonemes.ids`."""
    end: int
    """One after its last."""


@dataclass(frozen=True, slots=True)
class Phonemes:
    """A sentence for the network. `ids` has a pad at both ends; without words it is empty."""

    ids: tuple[int, ...]
    words: tuple[Word, ...]


class Phonemizer:
    """hibari's grapheme-to-phoneme rules with its lexicon of American English. Not thread-safe."""

    def __init__(self) -> None:
        path = Path(hibari.__file__).parent / "assets" / "vocab.json"
        self._ids: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        self._g2p = G2P()
        self.read("Zzyx")  # an unknown word loads the lazy parts, so that no request waits for them

    def read(self, sentence: str, said: Sequence[GivenPhonemes] = ()) -> Phonemes:
        """The sentence's phonemes; its words are divided where it has spaces.

        Args:
            said: parts whose phonemes are given.
        """
        tokens = self._g2p.phonemize_tokens(self._g2p.tokenize(linked(sentence, said)))
        ids = [PAD]
        words: list[Word] = []
        for token in tokens:
            start = len(ids)
            ids += [self._ids[phoneme] for phoneme in token.phonemes or "" if phoneme in self._ids]
            if any(map(str.isalnum, token.text)) and len(ids) > start:
                words.append(Word(token.text, start, len(ids)))
            if token.whitespace:
                ids.append(self._ids[" "])
        if not words:
            return Phonemes((), ())
        return Phonemes((*ids, PAD), tuple(words))
