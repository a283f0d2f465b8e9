"""Small random checkpoints, written and judged by transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import HiggsAudioV2Config, HiggsAudioV2ForConditionalGeneration

from tests.higgs.tokenizer import AUDIO_OUT, AUDIO_OUT_BOS, DELAY, make_tokenizer

__all__ = ["AUDIO_OUT", "AUDIO_OUT_BOS", "DELAY", "make_language_model", "make_tokenizer"]

torch.set_num_threads(1)


def make_language_model(
    folder: Path, *, books: int = 8, kv_heads: int = 2, codes: int = 32, seed: int = 0, **geometry: Any
) -> Any:
    """Save a model with `codes` a codebook, BOS and EOS behind them, and a vocabulary of 512, and return it."""
    torch.manual_seed(seed)
    small = {
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
        "head_dim": 16, "initializer_range": 0.2,
    }  # fmt: skip
    config = HiggsAudioV2Config(
        vocab_size=512, num_key_value_heads=kv_heads, num_codebooks=books, codebook_size=codes + 2,
        audio_stream_bos_id=codes, audio_stream_eos_id=codes + 1, audio_token_id=AUDIO_OUT,
        audio_bos_token_id=AUDIO_OUT_BOS, audio_delay_token_id=DELAY, eos_token_id=509, pad_token_id=501,
        **{**small, **geometry},
    )  # fmt: skip
    model = HiggsAudioV2ForConditionalGeneration(config, use_text_head=True).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name:
                value.uniform_(0.5, 1.5)
    model.save_pretrained(folder)
    return model
