"""Prompts of phonemes, for a checkpoint that reads one sentence at a time: its phonemes, and nothing around them.

The pronunciations are hibari's, a port of misaki (Apache-2.0) that needs no GPL program. Sentences do not know of
each other: each begins anew, so that a long text cannot drift.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.higgs.config import ConfigError, HiggsConfig
from inference.higgs.model import Prompt
from inference.higgs.prompt import QUIET_ROOM, PromptBuilder, UnspeakableError, WordTokens
from inference.speech.pronounceable import linked, script_refusal
from inference.speech.pronunciation import GivenPhonemes

BEGIN, END = "<|begin_of_text|>", "<|end_of_text|>"


@functools.cache
def _pronouncer() -> object:
    try:
        from hibari.g2p import G2P
    except ImportError as error:
        raise ConfigError(
            "text_frontend 'phonemes' needs the package hibari-tts: install the extra [voice]"
        ) from error
    return G2P()


def _read(text: str) -> str:
    """A part of a sentence as hibari normalises it, with the spaces that divide it from its neighbours."""
    from hibari.g2p import normalize

    before, after = " " * text[:1].isspace(), " " * text[-1:].isspace()
    return f"{before}{normalize(text)}{after}"


def pronounce(text: str) -> str:
    """A sentence in the alphabet of misaki; the empty string where nothing can be pronounced.

    Raises:
        UnspeakableError: it has letters of another script than Latin.
    """
    if refusal := script_refusal(text):
        raise UnspeakableError(refusal)
    return _joined(pronounced_words(text))


def _joined(words: Sequence[tuple[str, str, str]]) -> str:
    return "".join(phonemes + space for _, phonemes, space in words).strip()


def pronounced_words(text: str, given: Sequence[GivenPhonemes] = ()) -> list[tuple[str, str, str]]:
    """What `pronounce` joins: each word, its phonemes, and the space after it; `given` as in `question`."""
    g2p: Any = _pronouncer()
    tokens = g2p.phonemize_tokens(g2p.tokenize(linked(text, given, _read).strip()))
    return [(each.text, each.phonemes or "", " " if each.whitespace else "") for each in tokens]


class PhonemePromptBuilder(PromptBuilder):
    """Raises ConfigError where the tokenizer lacks a special token or the pronunciations are not installed."""

    remembers = False

    def __init__(self, tokenizer_file: Path, config: HiggsConfig) -> None:
        super().__init__(tokenizer_file, config)
        self._begin, self._end = self._special(BEGIN), self._special(END)
        _pronouncer()

    def check(self, texts: Sequence[str]) -> None:
        if refusal := script_refusal("".join(texts)):
            raise UnspeakableError(refusal)

    def opening(
        self, *, scene: str = QUIET_ROOM, style: str = "", speakers: Sequence[str | Prompt] = ()
    ) -> Prompt:
        return self._plain([])

    def tag(self, speaker: int) -> str:
        return ""

    def mention(self, text: str) -> Prompt:
        return self._plain([])

    def question(self, text: str, given: Sequence[GivenPhonemes] = ()) -> Prompt:
        return self.spell(_joined(pronounced_words(text, given)))

    def words(self, text: str, given: Sequence[GivenPhonemes] = ()) -> tuple[WordTokens, ...]:
        straight = text.replace("’", "'")  # as hibari reads it
        found, token, cursor = [], 1, 0  # after the token that begins the prompt
        for written, phonemes, space in pronounced_words(straight, given):
            length = len(self._text(phonemes))
            place = straight.find(written, cursor)
            if length and place >= 0 and any(map(str.isalnum, written)):
                cursor = place + len(written)
                found.append(WordTokens(text[place:cursor], token, token + length))
            token += length + len(self._text(space))
        return tuple(found)

    def spell(self, phonemes: str) -> Prompt:
        """The prompt for phonemes; signs that the tokenizer lacks are left out. Raises UnspeakableError."""
        ids = self._text(phonemes)
        if not ids:
            raise UnspeakableError("the text has nothing that can be pronounced in English")
        return self._plain([self._begin, *ids, self._end, self._config.audio_out_bos_id])

    def answer(self, frames: Tensor) -> Prompt:
        return Prompt(torch.empty(0, dtype=torch.int64), self._plain([]).codes)

    def _text(self, text: str) -> list[int]:
        """One token a sign: stress and length are signs of their own."""
        ids = (self._tokenizer.token_to_id(sign) for sign in text)
        return [int(token) for token in ids if token is not None]
