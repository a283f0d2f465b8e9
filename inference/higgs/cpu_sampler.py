"""`sampler.sample` on the CPU, in one kernel: sixty of torch's operators took longer to call than to run.

Shapes: B rows, N codebooks, V codes, S slots, M rows of a stream.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.higgs.cpu_kernels import compiled, exponential, exponentiate


class SlotArrays(NamedTuple):
    """The tensors of a `SamplerState`, as NumPy sees the same memory."""

    row: NDArray[Any]
    eos_age: NDArray[Any]
    done: NDArray[Any]
    history: NDArray[Any]
    temperature: NDArray[Any]
    top_p: NDArray[Any]
    top_k: NDArray[Any]
    key: NDArray[Any]
    ras_repeats: NDArray[Any]
    known: NDArray[Any]
    """[S + 1, M, N] int16, what is drawn whatever; M may be 0."""


@compiled(nogil=True)
def draw_rows(logits, order, slots, state, bos, eos, ras_window, codes):
    """Draw the next row of each slot and advance the slot's state; see `sampler.sample`.

    Args:
        logits: [B, N, V] float32.
        order: [B, N, V] int64, the codes of each, best first.
        slots: [B].
        state: a `SlotArrays`.
        codes: [B, N] int64, the answer.
    """
    books, size = logits.shape[1], logits.shape[2]
    depth = state.history.shape[1]
    weights = np.empty(size, np.float32)
    for b in range(len(slots)):
        slot = slots[b]
        row, eos_age, history = state.row[slot], state.eos_age[slot], state.history[slot]
        key = _mix(np.uint32(state.key[slot] + row * 0x9E3779B9))
        ended, all_ended = eos_age > 0, True
        for book in range(books):
            if row <= book:
                code = bos
            elif book < eos_age or state.done[slot]:
                code = eos
            else:
                code = _choose(logits[b, book], order[b, book], state, slot, _uniform(key, 2 * book), weights)
                limit = state.ras_repeats[slot]
                if limit > 0 and code != bos and code != eos:
                    repeats = 0
                    for age in range(depth - ras_window, depth):
                        repeats += history[age, book] == code
                    if repeats >= limit:
                        code = _redraw(logits[b, book], _uniform(key, 2 * book + 1), weights)
            if row < state.known.shape[1] and state.known[slot, row, book] >= 0:
                code = state.known[slot, row, book]
            codes[b, book] = code
            ended = ended or code == eos
            all_ended = all_ended and code == eos
        state.row[slot] = row + 1
        state.eos_age[slot] = eos_age + ended
        state.done[slot] = all_ended
        for age in range(depth - 1):
            history[age] = history[age + 1]
        history[depth - 1] = codes[b]


@compiled
def _choose(logits, order, state, slot, u, weights):
    """One code, by temperature, top_k and top_p."""
    temperature = state.temperature[slot]
    if temperature <= 0:
        return order[0]
    count = state.top_k[slot]
    scale, greatest, total = np.float32(1) / max(temperature, np.float32(1e-5)), logits[order[0]], np.float32(0)
    for rank in range(count):
        weights[rank] = exponential((logits[order[rank]] - greatest) * scale)
        total += weights[rank]
    kept, nucleus = np.float32(0), state.top_p[slot] * total
    for rank in range(count):
        if rank > 0 and kept >= nucleus:
            count = rank
            break
        kept += weights[rank]
    return order[_fall(weights[:count], u * kept)]


@compiled
def _redraw(logits, u, weights):
    """Any code, by the model's own distribution."""
    weights[:] = logits
    return _fall(weights, u * exponentiate(weights))


@compiled
def _fall(weights, target):
    """The first place at which the running sum of weights is greater than `target`, else the last."""
    running = np.float32(0)
    for place in range(len(weights)):
        running += weights[place]
        if running > target:
            return place
    return len(weights) - 1


@compiled
def _uniform(key, counter):
    """See `sampler.uniform`."""
    bits = _mix(np.uint32(_mix(key ^ np.uint32(counter * 0x85EBCA6B)) + np.uint32(0x27D4EB2F)))
    return np.float32(bits >> np.uint32(8)) / np.float32(1 << 24)


@compiled
def _mix(x):
    """See `sampler._mix`; of uint32, whose products keep their low half."""
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))
