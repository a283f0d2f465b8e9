"""Decode attention in Triton: reads the live positions of each slot and no others.

Flash decoding (Dao et al., "Flash-Decoding for long-context inference", 2023), in two kernels as in vLLM's
`triton_decode_attention`: the keys of a row are split among programs, each of which takes all query heads of a
key/value head at once; their parts are then merged by their log-sum-exp. Lengths are read on the device and the
grid is fixed, so that a CUDA graph may hold it. Sums are in float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl
from torch import Tensor

if TYPE_CHECKING:
    from inference.higgs.attention import Attend

_BLOCK = 64
"""Keys that a program reads at a time."""
_PROGRAMS = 512
"""Enough to keep a GPU of some 130 multiprocessors busy."""
_LOG2_E = 1.4426950408889634


def plan_kernel(slots: Tensor, positions: Tensor, window: int) -> Attend:
    """As `attention.plan_window`, of which `window` bounds the number of splits only."""

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        (rows, heads, size), kv_heads = q.shape, k.shape[1]
        splits = split_count(rows * kv_heads, window)
        out = torch.empty_like(q)
        parts = out if splits == 1 else q.new_empty((rows, heads, splits, size), dtype=torch.float32)
        weights = q.new_empty((rows, heads, splits), dtype=torch.float32)
        _attend_split[rows, kv_heads, splits](
            q, k, v, slots, positions, parts, weights, k.stride(0), k.stride(1), size**-0.5 * _LOG2_E,
            group=heads // kv_heads, size=size, splits=splits, block=_BLOCK,
            padded_group=max(16, triton.next_power_of_2(heads // kv_heads)),
            padded_size=max(16, triton.next_power_of_2(size)),
        )  # fmt: skip
        if splits > 1:
            _merge[rows, heads](
                parts, weights, out, size=size, splits=splits, padded_size=triton.next_power_of_2(size)
            )
        return out

    return attend


def split_count(programs: int, window: int) -> int:
    """Into how many parts, a power of two, to split a row of up to `window` keys; `programs` is without it."""
    splits = 1
    while splits * programs < _PROGRAMS and splits * 2 * _BLOCK <= window and splits < 32:
        splits *= 2
    return splits


@triton.jit
def _attend_split(
    q, k, v, slots, positions, parts, weights, slot_stride, head_stride, scale,
    group: tl.constexpr, size: tl.constexpr, splits: tl.constexpr, block: tl.constexpr,
    padded_group: tl.constexpr, padded_size: tl.constexpr,
):  # fmt: skip
    """Each program: one row, one key/value head, one part of the row's keys.

    Writes the part's own softmax average and the base-2 logarithm of its weight, -inf where it has no keys.
    """
    row, kv_head, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    length = tl.load(positions + row).to(tl.int32) + 1  # 32 bits: a loop over them is cheaper
    share = tl.cdiv(tl.cdiv(length, splits), block) * block
    start = split * share
    end = tl.minimum(start + share, length)

    members, dims = tl.arange(0, padded_group), tl.arange(0, padded_size)
    is_member, is_dim = members < group, dims < size
    heads = (row * tl.num_programs(1) + kv_head) * group + members
    queries = tl.load(
        q + heads[:, None] * size + dims, mask=is_member[:, None] & is_dim, other=0.0
    )  # [padded_group, padded_size]
    cache = tl.load(slots + row) * slot_stride + kv_head * head_stride

    highest = tl.full([padded_group], -float("inf"), tl.float32)
    total = tl.zeros([padded_group], tl.float32)
    average = tl.zeros([padded_group, padded_size], tl.float32)
    for first in range(start, end, block):
        at = first + tl.arange(0, block)
        is_live = at < end
        where = cache + at[:, None] * size + dims
        keys = tl.load(k + where, mask=is_live[:, None] & is_dim, other=0.0)
        scores = tl.dot(queries, tl.trans(keys), input_precision="ieee") * scale
        scores = tl.where(is_live, scores, -float("inf"))
        higher = tl.maximum(highest, tl.max(scores, 1))
        odds = tl.exp2(scores - higher[:, None])
        shrink = tl.exp2(highest - higher)
        values = tl.load(v + where, mask=is_live[:, None] & is_dim, other=0.0)
        average = average * shrink[:, None] + tl.dot(odds.to(values.dtype), values, input_precision="ieee")
        total = total * shrink + tl.sum(odds, 1)
        highest = higher

    # A part without keys has a total of 0, and a weight of nought in the merger.
    average = average / tl.where(total > 0, total, 1.0)[:, None]
    to = heads * splits + split
    tl.store(parts + to[:, None] * size + dims, average, mask=is_member[:, None] & is_dim)
    tl.store(weights + to, highest + tl.log2(tl.where(total > 0, total, 1.0)), mask=is_member)


@triton.jit
def _merge(parts, weights, out, size: tl.constexpr, splits: tl.constexpr, padded_size: tl.constexpr):
    """Each program: one row's one head."""
    head = tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)
    split, dims = tl.arange(0, splits), tl.arange(0, padded_size)
    logarithms = tl.load(weights + head * splits + split)
    odds = tl.exp2(logarithms - tl.max(logarithms, 0))
    part = tl.load(parts + (head * splits + split)[:, None] * size + dims, mask=(dims < size)[None, :], other=0.0)
    tl.store(out + head * size + dims, tl.sum(part * odds[:, None], 0) / tl.sum(odds, 0), mask=dims < size)
