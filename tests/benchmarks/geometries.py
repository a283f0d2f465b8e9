"""Networks to measure, of random weights: what is measured is time.

8M is the shipped student's, 30M and 300M stand between it and what is sold. 3B is the published V2; 1B is Llama
3.2's of that size with audio feed-forwards, as V2.5's geometry is not published.
"""

from __future__ import annotations

import torch

from inference.higgs.config import HiggsConfig, RopeConfig
from inference.higgs.linear import Matrix
from inference.higgs.model import FeedForward, HiggsModel, Layer
from tests.higgs.tokenizer import AUDIO_OUT, AUDIO_OUT_BOS, DELAY


def _size(*, hidden: int, inner: int, **others: int) -> dict[str, int]:
    return {"hidden_size": hidden, "intermediate_size": inner, **others}


SIZES = {
    "8M": _size(hidden=256, inner=640, layers=6, heads=4, kv_heads=2, head_dim=64),
    "30M": _size(hidden=384, inner=1024, layers=10, heads=6, kv_heads=2, head_dim=64),
    "300M": _size(hidden=1024, inner=2816, layers=16, heads=16, kv_heads=4, head_dim=64),
    "1B": _size(hidden=2048, inner=8192, layers=16, heads=32, kv_heads=8, head_dim=64),
    "3B": _size(hidden=3072, inner=8192, layers=28, heads=24, kv_heads=8, head_dim=128),
}
CODES = {"8M": (12, 102), "30M": (12, 102)}
"""Codebooks and codes of each, where they are not the published 8 of 1024."""


def geometry(name: str) -> HiggsConfig:
    books, codes = CODES.get(name, (8, 1024))
    return HiggsConfig(
        layout="huggingface", vocab_size=512, norm_eps=1e-5,
        rope=RopeConfig(
            kind="llama3", theta=5e5, factor=32, low_freq_factor=0.125, high_freq_factor=0.5,
            original_max_positions=1024,
        ),
        num_codebooks=books, codebook_size=codes + 2, bos_code=codes, eos_code=codes + 1,
        audio_out_bos_id=AUDIO_OUT_BOS, audio_out_id=AUDIO_OUT, audio_delay_id=DELAY, **SIZES[name],
    )  # fmt: skip


def random_model(
    config: HiggsConfig,
    device: torch.device | str,
    dtype: torch.dtype = torch.bfloat16,
    matrices: torch.dtype | None = None,
) -> HiggsModel:
    """Args: dtype, matrices: as `load_checkpoint` has them."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, device=device, dtype=dtype).mul_(0.02)

    def fixed(*shape: int) -> Matrix:
        return Matrix(draw(*shape), matrices)

    def half() -> FeedForward:
        hidden, inner = config.hidden_size, config.intermediate_size
        norms = torch.ones(2, hidden, device=device, dtype=dtype)
        return FeedForward(norms[0], norms[1], fixed(2 * inner, hidden), fixed(hidden, inner))

    q, kv = config.heads * config.head_dim, config.kv_heads * config.head_dim
    rows = config.num_codebooks * config.codebook_size
    head = draw(rows, config.hidden_size)
    head.view(config.num_codebooks, config.codebook_size, -1)[:, config.eos_code] = 0  # no audio ends early
    return HiggsModel(
        config=config,
        text_embedding=draw(config.vocab_size, config.hidden_size),
        audio_embedding=draw(rows, config.hidden_size),
        layers=[
            Layer(fixed(q + 2 * kv, config.hidden_size), fixed(config.hidden_size, q), half(), half())
            for _ in range(config.layers)
        ],
        norm=torch.ones(config.hidden_size, device=device, dtype=dtype),
        head=Matrix(head, matrices),
    )


def cache_numbers(config: HiggsConfig) -> int:
    """Keys and values of one position."""
    return 2 * config.layers * config.kv_heads * config.head_dim
