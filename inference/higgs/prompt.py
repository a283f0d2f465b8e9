"""Builds prompts, token for token as the model was trained: system turn with the scene, reference turns, text.

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

INSTRUCTION = "Generate audio following instruction."
QUIET_ROOM = "Audio is recorded from a quiet room."


@dataclass(frozen=True, slots=True)
class Turn:
    """Text that was spoken and its frames [F, N]: a voice reference, or an earlier sentence of this request."""

    text: str
    frames: Tensor


class PromptBuilder:
    """Renders prompts with a checkpoint's tokenizer.json. Raises ConfigError where it lacks a special token."""

    def __init__(self, tokenizer_file: Path, config: HiggsConfig) -> None:
        try:
            self._tokenizer: Tokenizer = Tokenizer.from_file(str(tokenizer_file))
        except Exception as error:  # the library raises bare Exception
            raise ConfigError(f"cannot read {tokenizer_file.name}: {error}") from error
        self._tokenizer.encode_special_tokens = True  # "<|eot_id|>" in a text stays text
        self._config = config

    def build(self, text: str, *, scene: str = QUIET_ROOM, style: str = "", turns: Sequence[Turn] = ()) -> Prompt:
        """The prompt for speaking `text`, ending in `<|audio_out_bos|>`.

        Args:
            scene: where it is recorded, and who speaks.
            style: how to speak; a line of its own after the scene.
            turns: voice references first, then earlier sentences, oldest first.
        """
        books = self._config.num_codebooks
        described = f"{scene}\n{style}" if style else scene
        ids = [
            self._special("<|begin_of_text|>"),
            *self._header("system", f"{INSTRUCTION}\n\n"),
            self._special("<|scene_desc_start|>"),
            *self._text(f"\n{described}\n"),
            self._special("<|scene_desc_end|>"),
            self._special("<|eot_id|>"),
        ]
        rows = [torch.empty((0, books), dtype=torch.int64)]
        for turn in turns:
            block = delay(turn.frames.to("cpu", torch.int64), self._config)
            rows.append(block)
            ids += self._question(turn.text)
            ids += [self._config.audio_out_id] * (len(block) - books + 1)
            ids += [self._config.audio_delay_id] * (books - 1)
            ids += [self._special("<|audio_eos|>"), self._special("<|eot_id|>")]
        ids += self._question(text)
        return Prompt(torch.tensor(ids, dtype=torch.int64), torch.cat(rows))

    def _question(self, text: str) -> list[int]:
        return [
            *self._header("user", text),
            self._special("<|eot_id|>"),
            *self._header("assistant", ""),
            self._config.audio_out_bos_id,
        ]

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
