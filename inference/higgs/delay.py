"""The delay pattern: codebook k runs k rows behind, so that each row's codes may depend on the ones before.

Row r of a stream shows frame r - 1 - k in codebook k, BOS before its first frame and EOS after its last.
"""

from __future__ import annotations

import torch
from torch import Tensor

from inference.higgs.config import HiggsConfig


def delay(frames: Tensor, config: HiggsConfig) -> Tensor:
    """The rows [F + N + 1, N] of a finished stream of frames [F, N], BOS row and EOS tail included."""
    count, books = frames.shape
    rows = frames.new_full((count + books + 1, books), config.eos_code)
    for k in range(books):
        rows[: k + 1, k] = config.bos_code
        rows[k + 1 : k + 1 + count, k] = frames[:, k]
    return rows


def undelay(rows: Tensor, count: int) -> Tensor:
    """The first `count` frames [count, N, …] of a stream's rows [R, N, …] after its BOS row."""
    books = rows.shape[1]
    return torch.stack([rows[k : k + count, k] for k in range(books)], 1)


def force(logits: Tensor, row: Tensor, eos_age: Tensor, config: HiggsConfig) -> Tensor:
    """Forbid everything but BOS where a codebook has not started, and but EOS where it has ended.

    Args:
        logits: [B, N, V].
        row: [B], which row of the stream is about to be sampled, from 0.
        eos_age: [B], rows since the first EOS; 0 while there was none.
    """
    books = torch.arange(config.num_codebooks, device=logits.device)
    codes = torch.arange(config.codebook_size, device=logits.device)
    starting = (row[:, None] <= books)[..., None] & (codes != config.bos_code)
    ending = (books < eos_age[:, None])[..., None] & (codes != config.eos_code)
    return logits.masked_fill(starting | ending, -torch.inf)
