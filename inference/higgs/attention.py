"""Decode attention: one query token a slot, over as many keys as the slot holds.

A plan is made once a step and serves every layer. On a GPU it is a Triton kernel, or torch's SDPA where that does
not work, which is also what the kernel is tested against. (The CPU has a kernel of its own, see cpu_decode.)

Shapes: B rows, Q heads, K key/value heads, D head size, S slots, M positions of a slot, W positions read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

log = logging.getLogger(__name__)

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(q [B, Q, D], k [S, K, M, D], v [S, K, M, D]) -> [B, Q, D]; row b sees positions[b] + 1 keys of slots[b]."""


@cache
def has_kernel(device: torch.device) -> bool:
    """Whether decoding there reads live positions only, however wide the window.

    CUDA's torch brings Triton, but what launches a kernel is compiled with a C compiler and Python's headers. So
    the kernel is run once; where that fails for any reason, attention reads whole windows through SDPA.
    """
    if device.type != "cuda" or find_spec("triton") is None:
        return False
    try:
        from inference.higgs.attention_kernel import plan_kernel

        q = torch.ones(1, 1, 16, device=device, dtype=torch.bfloat16)
        keys = q.new_ones(1, 1, 128, 16)  # long enough to be split, so that both kernels are compiled
        first = torch.zeros(1, dtype=torch.int64, device=device)
        works = torch.equal(plan_kernel(first, first, 128)(q, keys, keys), q)
    except Exception as error:  # a compiler's, a linker's or a driver's
        log.warning("attention reads whole windows, as Triton does not work here: %r", error)
        return False
    if not works:
        log.warning("attention reads whole windows, as Triton's answer here is wrong")
    return works


def plan_attention(slots: Tensor, positions: Tensor, window: int) -> Attend:
    """How to attend in this step.

    Args:
        slots: [B] int64.
        positions: [B] int64, where each slot's newest key stands.
        window: more than every element of `positions`; a number, fixed within a CUDA graph.
    """
    if has_kernel(slots.device):
        from inference.higgs.attention_kernel import plan_kernel

        return plan_kernel(slots, positions, window)
    return plan_window(slots, positions, window)


def plan_window(slots: Tensor, positions: Tensor, window: int) -> Attend:
    """In fixed shapes: the first `window` positions of each slot are copied out and masked to its length."""
    mask = (torch.arange(window, device=positions.device) <= positions[:, None])[:, None, None]  # [B, 1, 1, W]

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        keys, values = (x[:, :, :window].index_select(0, slots) for x in (k, v))  # [B, K, W, D]
        groups = q.view(len(q), keys.shape[1], -1, q.shape[-1])  # [B, K, Q/K, D]: a group is one head
        return F.scaled_dot_product_attention(groups, keys, values, attn_mask=mask).flatten(1, 2)

    return attend


def attend_piece(q: Tensor, k: Tensor, v: Tensor, start: int) -> Tensor:
    """Causal attention of one piece q [P, Q, D] over its slot's first start + P positions; k, v [K, M, D]."""
    end = start + len(q)
    keys, values = (x[None, :, :end].to(q.dtype) for x in (k, v))  # [1, K, E, D]
    mask = None if not start else torch.ones(len(q), end, dtype=torch.bool, device=q.device).tril(start)
    out = F.scaled_dot_product_attention(
        q.transpose(0, 1)[None], keys, values, attn_mask=mask, is_causal=mask is None, enable_gqa=True
    )
    return out[0].transpose(0, 1)
