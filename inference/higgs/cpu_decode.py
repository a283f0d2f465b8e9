"""A step of decoding on the CPU: matrix products (see linear), and a kernel between each two (see cpu_kernels)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.higgs import cpu_kernels as kernels
from inference.higgs.linear import as_array, as_tensor

if TYPE_CHECKING:
    from inference.higgs.config import HiggsConfig
    from inference.higgs.following import Follower
    from inference.higgs.model import HiggsModel, KVCache


class Follow(NamedTuple):
    """What a layer's alignment heads see and leave, as `attend` takes it.

    Shapes: Q heads, S slots, M positions of a slot, D head size.
    """

    heads: NDArray[np.bool_]
    """[Q]: which of them see only the tokens around the last one said; see `following.Follower`."""
    mover: int
    """The head by which a slot goes on to a later token; -1 is none."""
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    at: NDArray[np.int64]
    behind: int
    ahead: int
    noted: int
    """The head whose queries are kept; -1 is none."""
    queries: NDArray[np.float32]
    """[S, M, D]."""


def follows(config: HiggsConfig, follower: Follower | None, queries: Tensor | None) -> list[Follow]:
    """Of each layer of a cache with these."""
    nobody = np.zeros(1, np.int64)
    first, last, at = (
        (each.numpy() for each in (follower.first, follower.last, follower.at)) if follower else (nobody,) * 3
    )
    behind, ahead = config.alignment_window or (0, 0)
    kept = np.zeros((1, 1, config.head_dim), np.float32) if queries is None else queries.numpy()
    heads = config.alignment_heads
    layers = []
    for layer in range(config.layers):
        followed = np.array([follower is not None and (layer, head) in heads for head in range(config.heads)])
        last_one = heads[-1][1] if heads and heads[-1][0] == layer else -1
        mover, noted = (-1 if absent is None else last_one for absent in (follower, queries))
        layers.append(Follow(followed, mover, first, last, at, behind, ahead, noted, kept))
    return layers


def decode(model: HiggsModel, codes: Tensor, slots: Tensor, positions: Tensor, cache: KVCache) -> Tensor:
    """See `HiggsModel.decode`."""
    config, rows = model.config, len(codes)
    eps, dtype = np.float32(config.norm_eps), model.head.dtype
    hidden = model.embed_codes(codes)  # [B, H]
    x = hidden.numpy()
    normed, normed_array = _rows(rows, config.hidden_size, dtype)
    attended, attended_array = _rows(rows, config.heads * config.head_dim, dtype)
    gated, gated_array = _rows(rows, config.intermediate_size, dtype)
    cos, sin, slot_array, position_array = (each.numpy() for each in (cache.cos, cache.sin, slots, positions))
    kernels.rms_norm(x, model.layers[0].audio.input_norm.numpy(), eps, normed_array)
    following = [layer.audio.input_norm for layer in model.layers[1:]] + [model.norm]
    for index, (layer, next_norm) in enumerate(zip(model.layers, following, strict=True)):
        states = layer.qkv.of_step(normed)
        held = as_array(cache.kv[index])
        kernels.attend(states, cos, sin, held, slot_array, position_array, cache.follows[index], attended_array)
        more = layer.out.of_step(attended)
        kernels.add_and_norm(x, more, layer.audio.post_norm.numpy(), eps, normed_array)
        kernels.swiglu(layer.audio.gate_up.of_step(normed), gated_array)
        more = layer.audio.down.of_step(gated)
        kernels.add_and_norm(x, more, next_norm.numpy(), eps, normed_array)
    logits = as_tensor(model.head.of_step(normed))
    return logits.float().view(rows, config.num_codebooks, -1)


def _rows(count: int, size: int, dtype: torch.dtype) -> tuple[Tensor, NDArray[Any]]:
    """Room for rows that go into a matrix product, and the same memory as a kernel's array."""
    rows = torch.empty(count, size, dtype=dtype)
    return rows, as_array(rows)
