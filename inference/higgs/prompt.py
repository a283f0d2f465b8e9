"""Builds prompts, token for token as the model was trained: system turn with the scene, voice samples, text.

Text is encoded so that nothing a customer writes can become a special token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from inference.higgs.config import ConfigError, HiggsConfig
from inference.higgs.delay import delay
from inference.higgs.model import Prompt
from inference.speech.pronunciation import GivenPhonemes

INSTRUCTION = "Generate audio following instruction."
DIALOGUE_INSTRUCTION = """You are an AI assistant designed to convert text into speech.
If the user's message includes a [SPEAKER*] tag, do not read out the tag and generate speech for the following \
text, using the specified voice.
If no speaker tag is present, select a suitable voice on your own."""
QUIET_ROOM = "Audio is recorded from a quiet room."


@dataclass(frozen=True, slots=True)
class PromptTurn:
    """Text that was spoken and its frames [F, N]: a voice sample, or an earlier sentence of this request."""

    text: str
    frames: Tensor


@dataclass(frozen=True, slots=True)
class WordTokens:
    """A word of a text, and the tokens of its question that say it: from `start` to before `end`."""

    text: str
    start: int
    end: int


class UnspeakableError(ValueError):
    """There is nothing in a text that the model's front-end can pronounce."""


class PromptBuilder:
    """Renders prompts with a checkpoint's tokenizer.json. Raises ConfigError where it lacks a special token."""

    remembers = True
    """Whether a prompt begins with the turns before it."""

    def __init__(self, tokenizer_file: Path, config: HiggsConfig) -> None:
        try:
            self._tokenizer: Tokenizer = Tokenizer.from_file(str(tokenizer_file))
        except Exception as error:  # the library raises bare Exception
            raise ConfigError(f"cannot read {tokenizer_file.name}: {error}") from error
        self._tokenizer.encode_special_tokens = True  # "<|eot_id|>" in a text stays text
        self._config = config

    def build(
        self, text: str, *, scene: str = QUIET_ROOM, style: str = "", turns: Sequence[PromptTurn] = ()
    ) -> Prompt:
        """The prompt for speaking `text` after `turns`, ending in `<|audio_out_bos|>`; see the parts below."""
        earlier = [part for turn in turns for part in (self.question(turn.text), self.answer(turn.frames))]
        return Prompt.join([self.opening(scene=scene, style=style), *earlier, self.question(text)])

    def opening(
        self, *, scene: str = QUIET_ROOM, style: str = "", speakers: Sequence[str | Prompt] = ()
    ) -> Prompt:
        """The system turn.

        Args:
            scene: where it is recorded.
            style: how to speak; a line of its own after the scene.
            speakers: a line or a recording of each; where there are several, a text begins with its speaker's tag.
        """
        pieces: list[str | Prompt] = [f"\n{scene}\n{style}\n" if style else f"\n{scene}\n"]
        for number, line in enumerate(speakers):
            pieces += ["\n" if number == 0 else "", f"SPEAKER{number}: ", line, "\n"]
        instruction = INSTRUCTION if len(speakers) < 2 else DIALOGUE_INSTRUCTION
        begin = [
            self._special("<|begin_of_text|>"),
            *self._header("system", f"{instruction}\n\n"),
            self._special("<|scene_desc_start|>"),
        ]
        end = [self._special("<|scene_desc_end|>"), self._special("<|eot_id|>")]
        return Prompt.join([self._plain(begin), *self._joined(pieces), self._plain(end)])

    def tag(self, speaker: int) -> str:
        """What a text begins with where several speak."""
        return f"[SPEAKER{speaker}] "

    def mention(self, text: str) -> Prompt:
        """A user turn alone: what was spoken and how it sounded is not known."""
        return self._plain([*self._header("user", text), self._special("<|eot_id|>")])

    def check(self, texts: Sequence[str]) -> None:
        """Refuse a request as a whole, before its sentences are read. Raises UnspeakableError."""

    def question(self, text: str, given: Sequence[GivenPhonemes] = ()) -> Prompt:
        """A user turn with the text to speak, and the beginning of the turn that speaks it.

        Args:
            given: how parts of the text are said; a model that reads text reads what is written there.

        Raises:
            UnspeakableError: there is nothing in it to speak.
        """
        begin = self._plain([*self._header("assistant", ""), self._config.audio_out_bos_id])
        return Prompt.join([self.mention(text), begin])

    def words(self, text: str, given: Sequence[GivenPhonemes] = ()) -> tuple[WordTokens, ...]:
        """The words that `question` says, in order; none where words are not tokens of their own."""
        return ()

    def answer(self, frames: Tensor) -> Prompt:
        """The rest of an assistant turn: the frames [F, N] that were spoken, and its end."""
        return Prompt.join([self._frames(frames), self._plain([self._special("<|eot_id|>")])])

    def recording(self, frames: Tensor) -> Prompt:
        """A recording within a scene: the frames [F, N] of a voice whose words are not known."""
        return Prompt.join([self._plain([self._config.audio_out_bos_id]), self._frames(frames)])

    def _frames(self, frames: Tensor) -> Prompt:
        """The frames [F, N] of an audio that has begun, and its end."""
        books = self._config.num_codebooks
        rows = delay(frames.to("cpu", torch.int64), self._config)
        ids = [self._config.audio_out_id] * (len(rows) - books + 1) + [self._config.audio_delay_id] * (books - 1)
        return Prompt(torch.tensor([*ids, self._special("<|audio_eos|>")], dtype=torch.int64), rows)

    def _joined(self, pieces: Sequence[str | Prompt]) -> list[Prompt]:
        """Texts and recordings in order. Texts that follow each other are encoded as one, as the model learned."""
        parts: list[Prompt] = []
        text = ""
        for piece in pieces:
            if isinstance(piece, str):
                text += piece
            else:
                parts += [self._plain(self._text(text)), piece]
                text = ""
        return [*parts, self._plain(self._text(text))]

    def _plain(self, ids: list[int]) -> Prompt:
        return Prompt(
            torch.tensor(ids, dtype=torch.int64), torch.empty((0, self._config.num_codebooks), dtype=torch.int64)
        )

    def _header(self, role: str, content: str) -> list[int]:
        start, end = self._special("<|start_header_id|>"), self._special("<|end_header_id|>")
        return [start, *self._text(role), end, *self._text(f"\n\n{content}")]

    def _text(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _special(self, name: str) -> int:
        token = self._tokenizer.token_to_id(name)
        if token is None:
            raise ConfigError(f"tokenizer.json has no token {name}")
        return int(token)
