"""Samples one row of codes for every slot of a batch, all on the device, all in fixed shapes.

Randomness is a hash of (seed, row, codebook, draw): a request draws the same codes alone, in any batch, or
resumed elsewhere. RAS (repetition-aware sampling): a code that already stands `ras_repeats` times among its
codebook's last `ras_window` rows is drawn anew from the raw distribution.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from inference.higgs.config import PUBLISHED_RAS, HiggsConfig
from inference.higgs.cpu_sampler import SlotArrays, draw_rows
from inference.higgs.delay import force


class SamplerState:
    """What the sampler knows of each slot; tensors of S + 1 slots, the last one scratch for padding rows."""

    def __init__(
        self,
        config: HiggsConfig,
        *,
        slots: int,
        device: torch.device | str,
        ras_window: int = PUBLISHED_RAS.window,
        repeats: int = 0,
    ) -> None:
        """Args: repeats: rows of a stream that a slot can be made to draw again; see `repeat`."""
        size = slots + 1
        self.config = config
        self.ras_window = ras_window
        depth = max(ras_window, config.num_codebooks)  # a frame lies in as many rows as there are codebooks
        self.row = torch.zeros(size, dtype=torch.int64, device=device)  # the next row to sample
        self.eos_age = torch.zeros(size, dtype=torch.int64, device=device)  # rows since the first EOS
        self.done = torch.zeros(size, dtype=torch.bool, device=device)  # a whole row of EOS was sampled
        self.history = torch.full(
            (size, depth, config.num_codebooks), config.bos_code, dtype=torch.int64, device=device
        )
        self.temperature = torch.zeros(size, device=device)  # 0 is greedy
        self.top_p = torch.ones(size, device=device)
        self.top_k = torch.full((size,), config.codebook_size, dtype=torch.int64, device=device)
        self.key = torch.zeros(size, dtype=torch.int64, device=device)  # a hash of the seed
        self.ras_repeats = torch.zeros(size, dtype=torch.int64, device=device)  # 0 turns RAS off
        shape = (size, repeats, config.num_codebooks)
        self._known = torch.full(shape, -1, dtype=torch.int16, device=device)
        """[S + 1, M, N], of each row number what is drawn whatever; -1 is nothing."""
        self.arrays: SlotArrays | None = None
        """The same, for the CPU's kernel."""
        if torch.device(device).type == "cpu":
            tensors = (self.row, self.eos_age, self.done, self.history, self.temperature, self.top_p, self.top_k,
                       self.key, self.ras_repeats, self._known)  # fmt: skip
            self.arrays = SlotArrays(*(tensor.numpy() for tensor in tensors))

    def admit(
        self,
        slot: int,
        *,
        temperature: float,
        top_p: float = 1.0,
        top_k: int = 0,
        seed: int = 0,
        ras_repeats: int = PUBLISHED_RAS.repeats,
        rows: Tensor | None = None,
    ) -> None:
        """Give `slot` to a request; `rows` [R, N] are the rows of its stream already known (BOS row, resume).

        `top_k` 0 means all codes; `seed` is any integer, its low 64 bits count.
        """
        config = self.config
        self.temperature[slot] = temperature
        self.top_p[slot] = top_p
        self.top_k[slot] = top_k if 0 < top_k < config.codebook_size else config.codebook_size
        self.key[slot] = _mix(_mix(seed & _MASK) ^ (seed >> 32 & _MASK))
        self.ras_repeats[slot] = ras_repeats
        self.history[slot] = config.bos_code
        self.row[slot] = 0
        self.eos_age[slot] = 0
        self.done[slot] = False
        if rows is None or not len(rows):
            return
        tail = rows[-self.history.shape[1] :].to(self.history)
        self.history[slot, self.history.shape[1] - len(tail) :] = tail
        self.row[slot] = len(rows)
        ended = (rows == config.eos_code).any(dim=1).nonzero()
        if len(ended):
            self.eos_age[slot] = len(rows) - int(ended[0])
        self.done[slot] = bool((rows[-1] == config.eos_code).all())

    def repeat(self, slot: int, rows: Tensor) -> None:
        """Let `slot`, just admitted, draw these rows [R, N] next, and be free after them."""
        self._known[slot] = -1
        first = int(self.row[slot])
        self._known[slot, first : first + len(rows)] = rows.to(self._known)

    def known(self, slots: Tensor, row: Tensor, codes: Tensor) -> Tensor:
        """The codes [B, N], or what is to be drawn in their place."""
        if not self._known.shape[1]:
            return codes
        known = self._known[slots, row.clamp_max(self._known.shape[1] - 1)].to(codes)
        return torch.where(known < 0, codes, known)


@torch.inference_mode()
def sample(logits: Tensor, state: SamplerState, slots: Tensor, *, candidates: int = 0) -> Tensor:
    """Draw the next row of codes [B, N] from float32 logits [B, N, V] and advance the state of `slots` [B].

    A slot that is done goes on drawing EOS; `state.done` tells.

    Args:
        candidates: no slot's `top_k` is greater, so that so many best codes need be looked at; 0 is all. A number,
            fixed within a graph.
    """
    if state.arrays is None:
        return sample_by_tensors(logits, state, slots, candidates=candidates)
    config = state.config
    scores, arrays = logits.contiguous().numpy(), state.arrays
    # NumPy sorts several numbers at once: 32 rows of 12 × 104 in 0.2 ms, torch in 1.0.
    order = np.argsort(-scores, axis=-1)
    codes = torch.empty(scores.shape[:2], dtype=torch.int64)
    bos, eos = config.bos_code, config.eos_code
    draw_rows(scores, order, slots.numpy(), arrays, bos, eos, state.ras_window, codes.numpy())
    return codes


@torch.inference_mode()
def sample_by_tensors(logits: Tensor, state: SamplerState, slots: Tensor, *, candidates: int = 0) -> Tensor:
    """`sample` on any device: no value is asked for, so that a CUDA graph can hold it."""
    config = state.config
    row, eos_age, history = state.row[slots], state.eos_age[slots], state.history[slots]
    scores = force(logits, row, eos_age, config)
    temperature = state.temperature[slots, None]  # [B, 1]
    draws = uniform(state.key[slots], row, config.num_codebooks)  # [B, N, 2]
    best, order = scores.topk(candidates or config.codebook_size, dim=-1)  # [B, N, C]
    warped = best / temperature.clamp_min(1e-5)[..., None]
    kept = _keep(warped, state.top_k[slots, None], state.top_p[slots, None])
    drawn = order.gather(-1, _draw(kept, draws[..., 0])).squeeze(-1)
    codes = torch.where(temperature > 0, drawn, order[..., 0])

    recent = history[:, history.shape[1] - state.ras_window :]
    is_stream_code = (recent == config.bos_code) | (recent == config.eos_code)
    repeats = ((recent == codes[:, None]) & ~is_stream_code).sum(dim=1)
    limit = state.ras_repeats[slots, None]
    redrawn = _draw(logits.softmax(dim=-1), draws[..., 1]).squeeze(-1)
    codes = torch.where((limit > 0) & (repeats >= limit), redrawn, codes)
    codes = codes.masked_fill(state.done[slots, None], config.eos_code)
    codes = state.known(slots, row, codes)

    is_eos = codes == config.eos_code
    state.row[slots] = row + 1
    state.eos_age[slots] = torch.where((eos_age > 0) | is_eos.any(dim=1), eos_age + 1, eos_age)
    state.done[slots] = is_eos.all(dim=1)
    state.history[slots] = torch.cat([history[:, 1:], codes[:, None]], dim=1)
    return codes


def _keep(ordered: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """Probabilities of scores [B, N, C], best first, cut to top_k [B, 1], then to top_p [B, 1]; not normalised."""
    rank = torch.arange(ordered.shape[-1], device=ordered.device)
    probabilities = ordered.masked_fill(rank >= top_k[..., None], -torch.inf).softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    return probabilities * ((before < top_p[..., None]) | (rank == 0))


def _draw(probabilities: Tensor, u: Tensor) -> Tensor:
    """Where u [B, N] in [0, 1) falls in the running sum of probabilities [B, N, C]: an index [B, N, 1]."""
    cumulative = probabilities.cumsum(dim=-1)
    return torch.searchsorted(cumulative, (u[..., None] * cumulative[..., -1:]), right=True).clamp_max_(
        probabilities.shape[-1] - 1
    )


def uniform(key: Tensor, row: Tensor, books: int) -> Tensor:
    """Two numbers in [0, 1) for each codebook, [B, N, 2] float32, from the hash of a seed [B] and a row [B]."""
    key = _mix(key + row * 0x9E3779B9)
    counter = torch.arange(2 * books, device=key.device).view(books, 2)
    bits = _mix(_mix(key[:, None, None] ^ (counter * 0x85EBCA6B & _MASK)) + 0x27D4EB2F)
    return (bits >> 8).float() / 2**24


_MASK = 0xFFFFFFFF
_Bits = TypeVar("_Bits", int, Tensor)


def _mix(x: _Bits) -> _Bits:
    """A 32-bit integer hash (C. Wellons' lowbias32), of int64 tensors or of numbers; the low half is kept."""
    x = x & _MASK
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _MASK
    return x ^ (x >> 16)
