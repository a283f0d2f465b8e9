"""How a checkpoint reads text: the prompt builder that its config asks for."""

from __future__ import annotations

from pathlib import Path

from inference.higgs.config import HiggsConfig
from inference.higgs.prompt import PromptBuilder


def load_prompt_builder(folder: Path, config: HiggsConfig) -> PromptBuilder:
    """The builder that the checkpoint's `text_frontend` asks for. Raises ConfigError."""
    if config.text_frontend == "phonemes":
        from inference.higgs.phonemes import PhonemePromptBuilder  # needs the extra [voice]

        return PhonemePromptBuilder(folder / "tokenizer.json", config)
    return PromptBuilder(folder / "tokenizer.json", config)
