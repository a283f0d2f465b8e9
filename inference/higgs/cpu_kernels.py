"""What the CPU does between matrix products: Numba kernels, compiled without a C compiler.

A small network's step is short, and torch's own operators cost it more in calls than in work. These take the rows
of all slots in one call each, and attention reads of every slot no more than it holds.

A matrix product's inputs and outputs, and what a slot holds, may be bfloat16, which NumPy has not: they come as
the uint16 of their bits. All else is float32. No kernel assumes that there is no NaN, by which a broken model is
known.

Shapes of a step: B rows, H hidden, I feed-forward, Q heads, K key/value heads, D head size, S slots, M positions
of a slot. Of the codec: B windows, T frames, C channels.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numba import njit, types
from numba.extending import overload

_FAST = {"reassoc", "contract", "nsz", "arcp", "afn"}


def compiled(function=None, /, *, nogil=False):
    """Compile at the first call, and keep the machine code for the next process where a folder may be written.

    Args: nogil: let other threads run meanwhile. What takes microseconds would only wait for its turn afterwards.
    """
    if function is None:
        return partial(compiled, nogil=nogil)
    options = {"fastmath": _FAST, "error_model": "numpy", "nogil": nogil}
    try:
        return njit(function, cache=True, **options)
    except RuntimeError:  # neither this folder nor the user's own cache can be written
        return njit(function, **options)


@compiled
def multiply(x, pairs, out):
    """out [B, O] = x [B, I] times the transpose of a weight [O, I].

    Four rows at a time, and always as if there were four, so that a row's sums are the same in any company.

    Args:
        x: float32; I is even.
        pairs: [O, I/2] uint32, two neighbours' bfloat16 each: a shift and a mask make two vectors of one read.
    """
    rows, half = len(x), x.shape[1] // 2
    padded = (rows + 3) // 4 * 4
    even, odd = np.zeros((padded, half), np.float32), np.zeros((padded, half), np.float32)
    for row in range(rows):
        for i in range(half):
            even[row, i], odd[row, i] = x[row, 2 * i], x[row, 2 * i + 1]
    sums = np.empty((4, len(pairs)), np.float32)
    for first in range(0, padded, 4):
        a, b, c, d = even[first], even[first + 1], even[first + 2], even[first + 3]
        e, f, g, h = odd[first], odd[first + 1], odd[first + 2], odd[first + 3]
        for o in range(len(pairs)):
            weights = pairs[o]
            s, t, u, v = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for i in range(half):
                low = np.uint32(weights[i] << np.uint32(16)).view(np.float32)
                high = np.uint32(weights[i] & np.uint32(0xFFFF0000)).view(np.float32)
                s += low * a[i] + high * e[i]
                t += low * b[i] + high * f[i]
                u += low * c[i] + high * g[i]
                v += low * d[i] + high * h[i]
            sums[0, o], sums[1, o], sums[2, o], sums[3, o] = s, t, u, v
        for row in range(first, min(first + 4, rows)):
            out[row] = sums[row - first]


@compiled
def rms_norm(x, weight, eps, out):
    """out [B, H] = x over the root of its mean square, times weight [H]."""
    for row in range(x.shape[0]):
        _norm_row(x[row], weight, eps, out[row])


@compiled
def add_and_norm(x, more, weight, eps, out):
    """x [B, H] += more, and then `rms_norm`."""
    for row in range(x.shape[0]):
        for i in range(x.shape[1]):
            x[row, i] += _widen(more[row, i])
        _norm_row(x[row], weight, eps, out[row])


@compiled
def swiglu(gate_up, out):
    """out [B, I] = SiLU(gate) * up, of gate_up [B, 2·I]."""
    size = out.shape[1]
    for row in range(out.shape[0]):
        gate, up = gate_up[row, :size], gate_up[row, size:]
        for i in range(size):
            value = _widen(gate[i])
            _put(out[row], i, value / (np.float32(1) + exponential(-value)) * _widen(up[i]))


@compiled(nogil=True)
def attend(states, cos, sin, held, slots, positions, follow, out):
    """Keep each row's keys and values in its slot; its queries then see all that the slot holds up to them.

    Args:
        states: [B, (Q + 2·K)·D]: queries, keys and values, none of them rotated.
        cos, sin: [M, D].
        held: [S, 2·K, M, D]: keys, rotated, and values, of the type of `states`.
        slots, positions: [B]: where each row stands.
        follow: see `cpu_decode.Follow`.
        out: [B, Q·D].
    """
    size = held.shape[3]
    kv_heads = held.shape[1] // 2
    heads = out.shape[1] // size
    query, answer = np.empty(size, np.float32), np.empty(size, np.float32)
    scores = np.empty(held.shape[2], np.float32)
    for row in range(len(slots)):
        slot, position = slots[row], positions[row]
        c, s, state = cos[position], sin[position], states[row]
        for head in range(kv_heads):
            at = (heads + head) * size
            _turn(state[at : at + size], c, s, held[slot, head, position])
            at += kv_heads * size
            held[slot, kv_heads + head, position] = state[at : at + size]
        for head in range(heads):
            at = head * size
            _turn(state[at : at + size], c, s, query)
            if head == follow.noted:
                follow.queries[slot, position] = query
            begin, end = 0, position + 1
            if follow.heads[head]:
                begin = max(follow.first[slot], follow.at[slot] - follow.behind)
                end = min(follow.last[slot], follow.at[slot] + follow.ahead) + 1
            group = head * kv_heads // heads
            keys, values = held[slot, group], held[slot, kv_heads + group]  # contiguous, and known to be
            _score(query, keys[begin:end], scores)
            if head == follow.mover:
                follow.at[slot] = max(follow.at[slot], begin + np.argmax(scores[: end - begin]))
            _weigh(scores[: end - begin], values[begin:end], answer)
            for i in range(size):
                _put(out[row], at + i, answer[i])


@compiled(nogil=True)
def conv_and_norm(x, begin, taps, bias, scale, shift, eps, out):
    """A depthwise convolution over time, and then layer norm, for some of the frames.

    Args:
        x: [B, T, C].
        begin: the frame of x that the first one of `out` is made for.
        taps: [odd, C], the middle one of which is of the frame itself; beyond the ends is silence.
        bias, scale, shift: [C].
        out: [B, at most T - begin, C].
    """
    rows, frames, channels = x.shape
    half = len(taps) // 2
    sums = np.empty(channels, np.float32)
    for row in range(rows):
        for frame in range(begin, begin + out.shape[1]):
            for i in range(channels):
                sums[i] = bias[i]
            for tap in range(max(0, half - frame), min(len(taps), half + frames - frame)):
                near, weight = x[row, frame + tap - half], taps[tap]
                for i in range(channels):
                    sums[i] += weight[i] * near[i]
            total, squares, count = np.float32(0), np.float32(0), np.float32(channels)
            for i in range(channels):
                total += sums[i]
            mean = total / count
            for i in range(channels):
                squares += (sums[i] - mean) * (sums[i] - mean)
            factor = np.float32(1) / np.sqrt(squares / count + eps)
            for i in range(channels):
                _put(out[row, frame - begin], i, (sums[i] - mean) * factor * scale[i] + shift[i])


@compiled(nogil=True)
def gelu(x):
    """x [B, T, C] times the normal distribution function of x, in place.

    The error function is Abramowitz and Stegun's 7.1.26, which is within 1.5e-7.
    """
    for row in range(x.shape[0]):
        for frame in range(x.shape[1]):
            values = x[row, frame]
            for i in range(len(values)):
                value = _widen(values[i])
                size = abs(value) * np.float32(0.70710678)
                t = np.float32(1) / (np.float32(1) + np.float32(0.3275911) * size)
                y = np.float32(1.061405429) * t - np.float32(1.453152027)
                y = y * t + np.float32(1.421413741)
                y = y * t - np.float32(0.284496736)
                y = (y * t + np.float32(0.254829592)) * t * exponential(-size * size)
                # y is 1 - erf(size): the distribution is y / 2 on the left and 1 - y / 2 on the right.
                _put(values, i, max(value, np.float32(0)) - np.float32(0.5) * abs(value) * y)


@compiled(nogil=True)
def add_scaled(x, begin, more, factors, out):
    """out [B, T, C] = x from its frame `begin` on + more * factors [C]."""
    for row in range(out.shape[0]):
        for frame in range(out.shape[1]):
            for i in range(out.shape[2]):
                out[row, frame, i] = x[row, begin + frame, i] + _widen(more[row, frame, i]) * factors[i]


@compiled
def _score(query, keys, scores):
    """scores [W] of keys [W, D]."""
    scale = np.float32(1 / math.sqrt(len(query)))
    for position in range(len(keys)):
        key, score = keys[position], np.float32(0)
        for i in range(len(query)):
            score += query[i] * _widen(key[i])
        scores[position] = score * scale


@compiled
def _weigh(scores, values, answer):
    """answer [D]: the mean of values [W, D], by the softmax of scores [W], which it overwrites."""
    total = exponentiate(scores)
    answer[:] = 0
    fours = len(scores) // 4 * 4
    for at in range(0, fours, 4):  # the answer is read and written once for four values
        a, b, c, d = scores[at], scores[at + 1], scores[at + 2], scores[at + 3]
        first, second, third, fourth = values[at], values[at + 1], values[at + 2], values[at + 3]
        for i in range(len(answer)):
            answer[i] += (
                a * _widen(first[i]) + b * _widen(second[i]) + c * _widen(third[i]) + d * _widen(fourth[i])
            )
    for at in range(fours, len(scores)):
        for i in range(len(answer)):
            answer[i] += scores[at] * _widen(values[at, i])
    for i in range(len(answer)):
        answer[i] /= total


@compiled
def _turn(state, cos, sin, out):
    """One head [D] turned by its position's cosines and sines; the first half's sines are negative."""
    half = len(out) // 2
    for i in range(half):
        low, high = _widen(state[i]), _widen(state[half + i])
        _put(out, i, low * cos[i] + high * sin[i])
        _put(out, half + i, high * cos[half + i] + low * sin[half + i])


@compiled
def _norm_row(x, weight, eps, out):
    squares = np.float32(0)
    for i in range(len(x)):
        squares += x[i] * x[i]
    scale = np.float32(1) / np.sqrt(squares / np.float32(len(x)) + eps)
    for i in range(len(x)):
        _put(out, i, x[i] * scale * weight[i])


@compiled
def exponentiate(scores):
    """Replace scores [W] by exp(score - the greatest); their sum."""
    greatest, total = scores[0], np.float32(0)
    for score in scores:
        greatest = max(greatest, score)
    for i in range(len(scores)):
        scores[i] = exponential(scores[i] - greatest)
        total += scores[i]
    return total


@compiled
def exponential(x):
    """e to the x within 2e-7 of itself, and without a call, so that a loop of it is vectorized.

    Cody and Waite's reduction and the polynomial of Cephes' expf. What would overflow is 1.6e38.
    """
    x = min(max(x, np.float32(-87)), np.float32(88))
    whole = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    x = x - whole * np.float32(0.693359375) + whole * np.float32(2.12194440e-4)
    y = np.float32(1.9875691500e-4)
    y = y * x + np.float32(1.3981999507e-3)
    y = y * x + np.float32(8.3334519073e-3)
    y = y * x + np.float32(4.1665795894e-2)
    y = y * x + np.float32(1.6666665459e-1)
    y = y * x + np.float32(5.0000001201e-1)
    y = y * x * x + x + np.float32(1)
    return y * np.int32(np.int32(whole + np.float32(127)) << np.int32(23)).view(np.float32)


def _widen(value):
    """A float32 from a number or from the bits of a bfloat16."""
    raise NotImplementedError("compiled code only")


def _put(array, index, value):
    """array[index] = a float32, rounded to even if the array holds the bits of bfloat16."""
    raise NotImplementedError("compiled code only")


@overload(_widen)
def _widen_by_type(value):
    if value == types.uint16:
        return lambda value: np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)
    return lambda value: value


@overload(_put)
def _put_by_type(array, index, value):
    if array.dtype != types.uint16:

        def put(array, index, value):
            array[index] = value

        return put

    def put_rounded(array, index, value):
        bits = np.float32(value).view(np.uint32)
        rounded = np.uint32(bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))
        array[index] = (
            np.uint16(rounded >> np.uint32(16)) if value == value else np.uint16(0x7FC0)
        )  # a NaN stays one

    return put_rounded
