"""A tokenizer of bytes and special tokens, for checkpoints that are random. Needs nothing but `tokenizers`."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

DELAY, AUDIO_OUT_BOS, AUDIO_OUT = 498, 497, 500
NAMES = ["begin_of_text", "start_header_id", "end_header_id", "eot_id", "scene_desc_start", "scene_desc_end"]


def make_tokenizer(folder: Path) -> Tokenizer:
    """Save a tokenizer of bytes and of the special tokens, with the ids that the model's config gives them."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fillers = [f"<|filler_{i}|>" for i in range(AUDIO_OUT_BOS - 256 - len(NAMES) - 1)]
    audio = ["<|audio_eos|>", "<|audio_out_bos|>", "<|delay|>", "<|x|>", "<|AUDIO_OUT|>"]
    tokenizer.add_special_tokens([f"<|{name}|>" for name in NAMES] + fillers + audio)
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer
