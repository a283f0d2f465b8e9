"""The student as a network that can be trained: the same function as `inference.higgs.model`, with gradients.

Parameters carry the published layout's names, so that its state is a checkpoint's. Whole sequences are padded to
one length: text positions first, then audio; which feed-forward a position takes is known by its place.
Shapes: B rows, T positions, X text tokens and A audio rows of the whole batch, N codebooks, V codes, H hidden.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.config import HiggsConfig
from inference.higgs.model import inverse_frequencies


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences of text and audio. Places are row · T + position."""

    rows: int
    length: int
    text_places: Tensor  # [X]
    tokens: Tensor  # [X]
    audio_places: Tensor  # [A]
    codes: Tensor  # [A, N], what is fed
    targets: Tensor  # [A, N], what follows
    counted: Tensor  # [A, N] bool, targets that can be wrong
    spoken: Tensor  # [A], position of the token that is being said in the row; -1 where none is
    prompts: Tensor  # [A], positions of the row's prompt that its audio may look at

    def to(self, device: str) -> Batch:
        return replace(
            self,
            text_places=self.text_places.to(device),
            tokens=self.tokens.to(device),
            audio_places=self.audio_places.to(device),
            codes=self.codes.to(device),
            targets=self.targets.to(device),
            counted=self.counted.to(device),
            spoken=self.spoken.to(device),
            prompts=self.prompts.to(device),
        )


@dataclass(frozen=True, slots=True)
class Windows:
    """What the aligned heads are held to while they speak; see `inference.higgs.following`."""

    at: Tensor  # [A], position of the last token said before the row
    behind: int
    ahead: int

    def hidden(self, batch: Batch) -> Tensor:
        """[A, T] bool: what each row does not see."""
        places = torch.arange(batch.length, device=self.at.device)
        at = self.at[:, None]
        return (places < at - self.behind) | (places > at + self.ahead) | (places >= batch.prompts[:, None])


class Norm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight.float(), self.eps)


class Mlp(nn.Module):
    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(hidden, inner, bias=False)
        self.up_proj = nn.Linear(hidden, inner, bias=False)
        self.down_proj = nn.Linear(inner, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x)))


class Attention(nn.Module):
    def __init__(self, config: HiggsConfig) -> None:
        super().__init__()
        size = config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, config.heads * size, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, config.kv_heads * size, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, config.kv_heads * size, bias=False)
        self.o_proj = nn.Linear(config.heads * size, config.hidden_size, bias=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a batch's states stand: those of text and audio in two lists, for attention in rows."""

    batch: Batch
    places: Tensor  # [X + A], row · T + position
    where: Tensor  # [B · T], the place's state in [text, audio, one row of zeros]
    cos: Tensor  # [T, D]
    sin: Tensor


class Layer(nn.Module):
    def __init__(self, config: HiggsConfig) -> None:
        super().__init__()
        self._config = config
        hidden, inner, eps = config.hidden_size, config.intermediate_size, config.norm_eps
        self.self_attn = Attention(config)
        self.mlp, self.audio_mlp = Mlp(hidden, inner), Mlp(hidden, inner)
        self.input_layernorm, self.audio_input_layernorm = Norm(hidden, eps), Norm(hidden, eps)
        self.post_attention_layernorm, self.audio_post_attention_layernorm = Norm(hidden, eps), Norm(hidden, eps)

    def forward(
        self, text: Tensor, audio: Tensor, layout: Layout, aligned: bool, hidden: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """States of text [X, H] and audio [A, H] after the layer, and an `aligned` one's scores [A, T].

        Args: hidden: [A, T], what the audio's rows do not see through that head; None where they see all before.
        """
        config, batch, attention = self._config, layout.batch, self.self_attn
        nothing = text.new_zeros(1, config.hidden_size)
        normed = torch.cat([self.input_layernorm(text), self.audio_input_layernorm(audio), nothing])
        weight = torch.cat([attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight])
        states = F.linear(normed, weight)[layout.where].view(batch.rows, batch.length, -1, config.head_dim)
        q, k, v = torch.split(states.transpose(1, 2), [config.heads, config.kv_heads, config.kv_heads], dim=1)
        q, k = _rotated(q, layout), _rotated(k, layout)
        groups = config.heads // config.kv_heads
        keys, values = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        mixed = F.scaled_dot_product_attention(q, keys, values, is_causal=True)
        scores = _scores(q[:, 0], k[:, 0], batch) if aligned else None
        if scores is not None and hidden is not None:
            mixed = _held(mixed, scores.masked_fill(hidden, -torch.inf), values[:, 0], batch)
        mixed = mixed.transpose(1, 2).reshape(batch.rows * batch.length, -1)[layout.places]
        added = attention.o_proj(mixed).float()
        text, audio = text + added[: len(text)], audio + added[len(text) :]
        text = text + self.mlp(self.post_attention_layernorm(text)).float()
        audio = audio + self.audio_mlp(self.audio_post_attention_layernorm(audio)).float()
        return text, audio, scores


def _rotated(x: Tensor, layout: Layout) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * layout.cos.to(x.dtype) + torch.cat((-second, first), -1) * layout.sin.to(x.dtype)


def _scores(q: Tensor, k: Tensor, batch: Batch) -> Tensor:
    """One head's, q and k [B, T, D], of the audio's rows [A, T]; -inf for what comes later."""
    scores = (q @ k.transpose(1, 2)).float() / math.sqrt(q.shape[-1])
    later = torch.ones(batch.length, batch.length, dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(later, -torch.inf).flatten(0, 1)[batch.audio_places]


def _held(mixed: Tensor, scores: Tensor, values: Tensor, batch: Batch) -> Tensor:
    """Let the first head of `mixed` [B, Q, T, D] give the audio's rows what these scores let it see."""
    rows = batch.audio_places // batch.length
    weights = scores.new_zeros(batch.rows * batch.length, batch.length)
    weights[batch.audio_places] = scores.softmax(-1)
    seen = weights.view(batch.rows, batch.length, -1).to(values.dtype) @ values
    first = mixed[:, 0].clone()
    first[rows, batch.audio_places % batch.length] = seen.flatten(0, 1)[batch.audio_places]
    return torch.cat([first[:, None], mixed[:, 1:]], 1)


def _misses(scores: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of one head's attention with the token that is being said."""
    known = (batch.spoken >= 0).float()
    each = F.log_softmax(scores, -1).gather(1, batch.spoken.clamp_min(0)[:, None]).squeeze(1)
    return -(each * known).sum() / known.sum().clamp_min(1)


class AudioEmbedding(nn.Module):
    def __init__(self, config: HiggsConfig) -> None:
        super().__init__()
        self.embed_audio_tokens = nn.Embedding(config.num_codebooks * config.codebook_size, config.hidden_size)


class Body(nn.Module):
    def __init__(self, config: HiggsConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_audio_tokens = AudioEmbedding(config)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = Norm(config.hidden_size, config.norm_eps)


class Student(nn.Module):
    def __init__(self, config: HiggsConfig, *, longest: int = 2048) -> None:
        super().__init__()
        self.config = config
        self.model = Body(config)
        self.audio_lm_head = nn.Linear(config.hidden_size, config.num_codebooks * config.codebook_size, bias=False)
        nn.init.normal_(self.model.embed_tokens.weight, std=0.5)
        nn.init.normal_(
            self.model.embed_audio_tokens.embed_audio_tokens.weight, std=0.5 / math.sqrt(config.num_codebooks)
        )
        for layer in self.layers:
            for out in (layer.self_attn.o_proj, layer.mlp.down_proj, layer.audio_mlp.down_proj):
                nn.init.normal_(out.weight, std=0.04 / math.sqrt(2 * config.layers))
        nn.init.normal_(self.audio_lm_head.weight, std=0.02)
        angles = torch.outer(torch.arange(longest, dtype=torch.float32), inverse_frequencies(config))
        self.register_buffer("_cos", angles.cos().repeat(1, 2), persistent=False)
        self.register_buffer("_sin", angles.sin().repeat(1, 2), persistent=False)
        self._cos: Tensor
        self._sin: Tensor

    @property
    def layers(self) -> list[Layer]:
        return [cast(Layer, layer) for layer in self.model.layers]

    def forward(
        self, batch: Batch, *, aligned: tuple[int, ...] = (), windows: Windows | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits [A, N, V], float32, and the mean loss of the `aligned` layers' first head.

        That loss is the cross-entropy of the head's attention with the token that is being said.

        Args: windows: hold these heads to them, as the engine does while it speaks.
        """
        audio, scores = self._run(batch, aligned, windows)
        missed = torch.stack([_misses(each, batch) for each in scores]).mean() if scores else audio.new_zeros(())
        logits = self.audio_lm_head(self.model.norm(audio)).float()
        return logits.view(-1, self.config.num_codebooks, self.config.codebook_size), missed

    def look(self, batch: Batch, *, aligned: tuple[int, ...], windows: Windows) -> Tensor:
        """Scores [A, T] of the last `aligned` layer's first head, by which the engine goes on."""
        return self._run(batch, aligned, windows)[1][-1]

    def _run(self, batch: Batch, aligned: tuple[int, ...], windows: Windows | None) -> tuple[Tensor, list[Tensor]]:
        """The audio's last states [A, H], and the scores of each aligned layer."""
        config = self.config
        text = cast(Tensor, self.model.embed_tokens(batch.tokens))
        offsets = torch.arange(config.num_codebooks, device=batch.codes.device) * config.codebook_size
        audio = self.model.embed_audio_tokens.embed_audio_tokens(batch.codes + offsets).sum(-2)
        places = torch.cat([batch.text_places, batch.audio_places])
        where = torch.full((batch.rows * batch.length,), len(places), device=places.device)
        where[places] = torch.arange(len(places), device=places.device)
        layout = Layout(batch, places, where, self._cos[: batch.length], self._sin[: batch.length])
        hidden = windows.hidden(batch) if windows else None
        looks = []
        for index, layer in enumerate(self.layers):
            text, audio, scores = layer(text, audio, layout, index in aligned, hidden)
            looks += [scores] if scores is not None else []
        return audio, looks
