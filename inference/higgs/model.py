"""The DualFFN transformer: one attention for text and audio, two sets of norms and feed-forwards.

`prefill` takes a ragged batch of prompts; `decode` takes one row of codes for each of B slots. Both write keys
and values into a slot cache. `decode` has fixed shapes and never asks the device for a value, so that it can be
captured into a CUDA graph; the caller advances `positions`. The matrices are packed (see linear).

Shapes: B rows, T packed tokens, H hidden, Q heads, K key/value heads, D head size, N codebooks, V codes,
S slots, M positions of a slot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs import cpu_decode
from inference.higgs.attention import attend_piece, plan_attention
from inference.higgs.config import HiggsConfig, RopeConfig
from inference.higgs.following import Follower
from inference.higgs.linear import Matrix
from inference.higgs.norm import rms_norm


@dataclass(slots=True)
class FeedForward:
    """The half of a layer that text and audio do not share."""

    input_norm: Tensor  # [H]
    post_norm: Tensor  # [H]
    gate_up: Matrix  # [2·I, H]
    down: Matrix  # [H, I]

    def mlp(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


@dataclass(slots=True)
class Layer:
    qkv: Matrix  # [(Q + 2·K)·D, H]
    out: Matrix  # [H, Q·D]
    text: FeedForward
    audio: FeedForward


class KVCache:
    """Keys and values of every slot, and the rotary table. Slot `scratch` takes what padding rows write."""

    def __init__(
        self,
        config: HiggsConfig,
        *,
        slots: int,
        length: int,
        device: torch.device | str,
        dtype: torch.dtype,
        matrices: torch.dtype,
    ) -> None:
        """Keys and values are kept in the matrices' type, from whose products they come."""
        shape = (config.layers, slots + 1, 2 * config.kv_heads, length, config.head_dim)
        self.kv = torch.zeros(shape, device=device, dtype=matrices)
        """[L, S+1, 2·K, M, D]: the heads' keys, then their values, so that a step writes both at once."""
        self.k, self.v = self.kv.chunk(2, dim=2)  # [L, S+1, K, M, D]
        self.slots, self.length, self.scratch = slots, length, slots
        self.queries: Tensor | None = None
        """[S+1, M, D] of the alignment head, if any: what it looked at is asked when a sentence has ended."""
        if config.alignment_heads:
            self.queries = torch.zeros((slots + 1, length, config.head_dim), device=device, dtype=dtype)
        self.follower: Follower | None = None
        """What the alignment heads see, if that is not everything."""
        if config.alignment_window is not None:
            self.follower = Follower(config.alignment_window, slots=slots + 1, device=device)
        angles = torch.outer(torch.arange(length, dtype=torch.float32), inverse_frequencies(config))
        self.cos = angles.cos().repeat(1, 2).to(device, dtype)
        """Of the rotary angles, [M, D], and `sin` likewise, of which the first half is negative."""
        self.sin = torch.cat((-angles.sin(), angles.sin()), dim=1).to(device, dtype)
        on_cpu = torch.device(device).type == "cpu"
        self.follows = cpu_decode.follows(config, self.follower, self.queries) if on_cpu else []
        """Of each layer, as its kernel takes it."""

    def rotary(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [T, 1, D] at positions [T]."""
        return self.cos[positions, None], self.sin[positions, None]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids, with one row of (delayed) codes for each audio placeholder among them, in order."""

    tokens: Tensor  # [P] int64
    codes: Tensor  # [A, N] int64

    @classmethod
    def join(cls, parts: Sequence[Prompt]) -> Prompt:
        return cls(torch.cat([part.tokens for part in parts]), torch.cat([part.codes for part in parts]))

    def split(self, count: int, config: HiggsConfig) -> tuple[Prompt, Prompt]:
        """Its first `count` tokens and the rest, each with its rows."""
        head = self.tokens[:count]
        rows = int(((head == config.audio_out_id) | (head == config.audio_delay_id)).sum())
        return Prompt(head, self.codes[:rows]), Prompt(self.tokens[count:], self.codes[rows:])

    def extended(self, rows: Tensor, audio_out_id: int) -> Prompt:
        """The prompt followed by rows [R, N] of audio already known: the all-BOS row, or a resumed stream."""
        filler = self.tokens.new_full((len(rows),), audio_out_id)
        return Prompt(torch.cat([self.tokens, filler]), torch.cat([self.codes, rows.to(self.codes)]))


@dataclass(slots=True)
class HiggsModel:
    config: HiggsConfig
    text_embedding: Tensor  # [vocabulary, H]
    audio_embedding: Tensor  # [N·V, H], codebook-major
    layers: list[Layer]
    norm: Tensor  # [H]
    head: Matrix  # [N·V, H]

    @property
    def device(self) -> torch.device:
        return self.norm.device

    @property
    def dtype(self) -> torch.dtype:
        return self.norm.dtype

    def new_cache(self, *, slots: int, length: int) -> KVCache:
        """A cache for `slots` requests of up to `length` positions each, prompt included."""
        return KVCache(
            self.config,
            slots=slots,
            length=length,
            device=self.device,
            dtype=self.dtype,
            matrices=self.head.dtype,
        )

    def embed_codes(self, codes: Tensor) -> Tensor:
        """Rows of codes [..., N] to hidden states [..., H]: the sum over codebooks."""
        offsets = torch.arange(self.config.num_codebooks, device=codes.device) * self.config.codebook_size
        return F.embedding(codes + offsets, self.audio_embedding).sum(dim=-2)

    @torch.inference_mode()
    def prefill(
        self, prompts: Sequence[Prompt], slots: Sequence[int], cache: KVCache, starts: Sequence[int] | None = None
    ) -> Tensor:
        """Run whole prompts, or the next pieces of them, and return the logits after each one's last token.

        Args:
            prompts: B pieces of any length.
            slots: where each one's keys and values go.
            starts: how many positions each slot already holds; 0 by default.

        Returns:
            float32 logits [B, N, V].

        Raises:
            ValueError: a piece is empty, does not fit its slot, or its rows of codes and placeholders differ.
        """
        config, device = self.config, self.device
        starts = starts if starts is not None else [0] * len(prompts)
        lengths = [len(prompt.tokens) for prompt in prompts]
        if any(not n or start + n > cache.length for n, start in zip(lengths, starts, strict=True)):
            raise ValueError(f"prompts of {lengths} tokens from {list(starts)} do not fit slots of {cache.length}")
        tokens = torch.cat([prompt.tokens for prompt in prompts]).to(device)  # [T]
        is_audio = (tokens == config.audio_out_id) | (tokens == config.audio_delay_id)
        audio, text = is_audio.nonzero().squeeze(1), (~is_audio).nonzero().squeeze(1)
        codes = torch.cat([prompt.codes for prompt in prompts]).to(device)
        if len(audio) != len(codes):
            raise ValueError(f"{len(codes)} rows of codes for {len(audio)} audio placeholders")
        positions = torch.cat(
            [torch.arange(s, s + n, device=device) for s, n in zip(starts, lengths, strict=True)]
        )
        slot_of = torch.cat([torch.full((n,), s, device=device) for s, n in zip(slots, lengths, strict=True)])

        rotary = cache.rotary(positions)
        x = F.embedding(tokens, self.text_embedding)  # [T, H]
        x[audio] = self.embed_codes(codes)
        for index, layer in enumerate(self.layers):
            halves = [(rows, half) for rows, half in ((text, layer.text), (audio, layer.audio)) if len(rows)]
            normed = torch.empty_like(x)
            for rows, half in halves:
                normed[rows] = self._norm(x[rows], half.input_norm)
            q, kv = self._qkv(layer, normed, rotary)
            cache.kv[index, slot_of, :, positions] = kv.to(cache.kv.dtype)
            self._note_query(cache, index, slot_of, positions, q)
            pieces = [
                attend_piece(piece, cache.k[index, slot], cache.v[index, slot], start)
                for piece, slot, start in zip(torch.split(q, lengths), slots, starts, strict=True)
            ]
            x = x + layer.out(torch.cat(pieces).flatten(1))
            for rows, half in halves:
                x[rows] += half.mlp(self._norm(x[rows], half.post_norm))
        last = torch.tensor(lengths, device=device).cumsum(0) - 1
        return self._logits(x[last])

    @torch.inference_mode()
    def decode(self, codes: Tensor, slots: Tensor, positions: Tensor, cache: KVCache, window: int) -> Tensor:
        """One step: feed each slot its last row of codes and return the logits of the next row.

        Args:
            codes: [B, N] int64.
            slots: [B] int64; `cache.scratch` for padding rows.
            positions: [B] int64, where this row stands in its slot.
            window: positions read, more than every element of `positions`; a number, fixed within a graph.

        Returns:
            float32 logits [B, N, V].
        """
        if self.device.type == "cpu":
            return cpu_decode.decode(self, codes, slots, positions, cache)
        attend = plan_attention(slots, positions, window)
        rotary = cache.rotary(positions)
        x = self.embed_codes(codes)  # [B, H]
        for index, layer in enumerate(self.layers):
            q, kv = self._qkv(layer, self._norm(x, layer.audio.input_norm), rotary)
            cache.kv[index, slots, :, positions] = kv
            self._note_query(cache, index, slots, positions, q)
            attended = attend(q, cache.k[index], cache.v[index])
            if cache.follower is not None:
                self._follow(cache, cache.follower, index, slots, q, attended)
            x = x + layer.out(attended.flatten(1))
            x = x + layer.audio.mlp(self._norm(x, layer.audio.post_norm))
        return self._logits(x)

    @torch.inference_mode()
    def alignment(self, cache: KVCache, slot: int, tokens: slice, rows: slice) -> Tensor:
        """Where the alignment head looked from each row of the slot among these tokens: log probabilities [R, P].

        Raises:
            ValueError: the checkpoint has no such head.
        """
        if cache.queries is None:
            raise ValueError("the checkpoint has no alignment head")
        layer, head = self.config.alignment_heads[-1]
        keys = cache.k[layer, slot, head * self.config.kv_heads // self.config.heads, tokens]
        scores = cache.queries[slot, rows].float() @ keys.float().T
        return (scores / math.sqrt(self.config.head_dim)).log_softmax(dim=-1)

    def _note_query(self, cache: KVCache, index: int, slots: Tensor, positions: Tensor, q: Tensor) -> None:
        if cache.queries is not None and index == self.config.alignment_heads[-1][0]:
            cache.queries[slots, positions] = q[:, self.config.alignment_heads[-1][1]]

    def _follow(
        self, cache: KVCache, follower: Follower, index: int, slots: Tensor, q: Tensor, attended: Tensor
    ) -> None:
        """Replace what the layer's alignment heads have seen [B, Q, D] by what they may see."""
        heads = self.config.alignment_heads
        for layer, head in heads:
            if layer == index:
                group = head * self.config.kv_heads // self.config.heads
                keys, values = cache.k[index, :, group], cache.v[index, :, group]
                move = (layer, head) == heads[-1]
                attended[:, head] = follower.attend(q[:, head], keys, values, slots, move=move)

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        return rms_norm(x, weight, self.config.norm_eps)

    def _qkv(self, layer: Layer, x: Tensor, rotary: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Rotated queries [T, Q, D], and rotated keys followed by values [T, 2·K, D]."""
        heads, kv = self.config.heads, self.config.kv_heads
        states = layer.qkv(x).to(x.dtype).view(len(x), heads + 2 * kv, -1)
        turning = states[:, : heads + kv]
        cos, sin = rotary
        turning.copy_(torch.addcmul(turning * cos, turning.roll(self.config.head_dim // 2, dims=-1), sin))
        return states[:, :heads].contiguous(), states[:, heads:]

    def _logits(self, x: Tensor) -> Tensor:
        logits = self.head(self._norm(x, self.norm)).float()
        return logits.view(len(x), self.config.num_codebooks, -1)


def inverse_frequencies(config: HiggsConfig) -> Tensor:
    """Rotary frequencies [D/2] in radians per position, with Llama 3's stretching of the long wavelengths."""
    rope: RopeConfig = config.rope
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    plain = 1.0 / rope.theta**exponents
    if rope.kind == "default":
        return plain
    wavelength = 2 * math.pi / plain
    low, high = rope.low_freq_factor, rope.high_freq_factor
    smooth = ((rope.original_max_positions / wavelength - low) / (high - low)).clamp(0, 1)
    return (1 - smooth) * plain / rope.factor + smooth * plain
