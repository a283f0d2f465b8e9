"""The student's geometry as a checkpoint's config.json, and its alphabet as a tokenizer.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hibari import Hibari
from tokenizers import AddedToken, Tokenizer, models

from inference.higgs.config import HiggsConfig, parse_config
from inference.higgs.phonemes import BEGIN, END
from inference.training.recipe import Recipe

SPECIAL = (BEGIN, END, "<|audio_out_bos|>", "<|AUDIO_OUT|>", "<|AUDIO_DELAY|>", "<|audio_eos|>", "<|eot_id|>")
ALIGNMENT_WINDOW = (2, 3)
"""Tokens before and after the last one said that an aligned head sees while it speaks."""


def alphabet() -> list[str]:
    """The signs of the pronunciations, in the teacher's order."""
    return sorted(Hibari().vocab, key=Hibari().vocab.__getitem__)


def write_tokenizer(path: Path) -> None:
    signs = [*SPECIAL, *alphabet()]
    tokenizer = Tokenizer(models.WordLevel({sign: n for n, sign in enumerate(signs)}, unk_token=END))
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    tokenizer.save(str(path))


def student_config(recipe: Recipe) -> dict[str, Any]:
    """config.json in the published dialect."""
    sizes, codec = recipe.student, recipe.codec
    return {
        "model_type": "higgs_audio_v2",
        "text_frontend": "phonemes",
        "vocab_size": len(SPECIAL) + len(alphabet()),
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.inner,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "head_dim": sizes.hidden // sizes.heads,
        "rms_norm_eps": 1e-5,
        "rope_theta": sizes.rope_theta,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "alignment_heads": [[layer, 0] for layer in sizes.aligned_layers],
        **({"alignment_window": list(ALIGNMENT_WINDOW)} if sizes.aligned_layers else {}),
        "num_codebooks": codec.codebooks,
        "codebook_size": codec.codes + 2,
        "audio_stream_bos_id": codec.codes,
        "audio_stream_eos_id": codec.codes + 1,
        "audio_bos_token_id": SPECIAL.index("<|audio_out_bos|>"),
        "audio_token_id": SPECIAL.index("<|AUDIO_OUT|>"),
        "audio_delay_token_id": SPECIAL.index("<|AUDIO_DELAY|>"),
    }


def higgs_config(recipe: Recipe) -> HiggsConfig:
    return parse_config(json.loads(json.dumps(student_config(recipe))))
