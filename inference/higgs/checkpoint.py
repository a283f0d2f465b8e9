"""Loads the language model from Hugging Face's or Boson's layout, fused for speed (QKV, gate/up).

The text head is dropped, and so is everything that training left behind. Names: facts on the published
checkpoints; the two layouts differ in prefixes, and Boson's may split a table into frozen and trainable rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from inference.higgs.config import HiggsConfig, load_config
from inference.higgs.linear import Matrix
from inference.higgs.model import FeedForward, HiggsModel, Layer
from inference.higgs.tensors import CheckpointError, TensorTable

__all__ = ["Checkpoint", "CheckpointError", "load_checkpoint"]

MatrixOf = Callable[[torch.Tensor], Matrix]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model and what to call it: `id` goes into a response's `model`, `digest` is the whole SHA-256."""

    model: HiggsModel
    name: str
    digest: str

    @property
    def id(self) -> str:
        return f"{self.name}@{self.digest[:12]}"


def load_checkpoint(
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    matrices: torch.dtype | None = None,
    paired: bool = False,
) -> Checkpoint:
    """Load the checkpoint in `folder`.

    Args:
        dtype: of hidden states, of the cache and of all weights but the matrices.
        matrices: of the matrices of attention, feed-forwards and head; `dtype` by default.
        paired: if the network is small, see `Matrix`.

    Raises:
        ConfigError, CheckpointError: they name what is wrong.
    """
    config = load_config(folder)
    table = TensorTable(folder, device=device, dtype=dtype)
    model = _take(config, table, partial(Matrix, dtype=matrices or dtype, paired=paired and config.small))
    table.drop(
        r"text_lm_head\.(weight|linear_(frozen|trainable)\.weight)",
        r"audio_decoder_proj\.(audio|text)_lm_head\.(weight|linear_(frozen|trainable)\.weight)",
        r"audio_codebook_weights",
        r"(.*\.)?rotary_emb\..*",
        r"(.*\.)?audio_tokens_offsets",
    )
    table.close()
    return Checkpoint(model, _name(folder), table.digest())


def _take(config: HiggsConfig, table: TensorTable, matrix: MatrixOf) -> HiggsModel:
    hidden, rows = config.hidden_size, config.num_codebooks * config.codebook_size
    if config.layout == "huggingface":
        body, audio_table, head = "model.", "model.embed_audio_tokens.embed_audio_tokens.weight", "audio_lm_head"
    else:
        body, audio_table, head = "", "audio_codebook_embeddings.weight", "audio_decoder_proj.audio_lm_head"
    return HiggsModel(
        config=config,
        text_embedding=_rows(table, f"{body}embed_tokens", "embedding", (config.vocab_size, hidden)),
        audio_embedding=table.take(audio_table, (rows, hidden)),
        layers=[_layer(config, table, f"{body}layers.{i}.", matrix) for i in range(config.layers)],
        norm=table.take(f"{body}norm.weight", (hidden,)),
        head=matrix(_rows(table, head, "linear", (rows, hidden))),
    )


def _rows(table: TensorTable, name: str, part: str, shape: tuple[int, int]) -> torch.Tensor:
    """A matrix, or the frozen and trainable rows that training split it into."""
    parts = [f"{name}.{part}_{which}.weight" for which in ("frozen", "trainable")]
    if f"{name}.weight" in table or not all(p in table for p in parts):
        return table.take(f"{name}.weight", shape)
    sizes = [table.shape(p) for p in parts]
    if sum(size[0] for size in sizes) != shape[0]:
        raise CheckpointError(f"{' + '.join(parts)} have shapes {sizes}, config.json asks for {shape} together")
    return torch.cat([table.take(p, (size[0], shape[1])) for p, size in zip(parts, sizes, strict=True)])


def _layer(config: HiggsConfig, table: TensorTable, name: str, matrix: MatrixOf) -> Layer:
    hidden = config.hidden_size
    q, kv = config.heads * config.head_dim, config.kv_heads * config.head_dim
    attention = f"{name}self_attn."
    projections = {"q": q, "k": kv, "v": kv}
    return Layer(
        qkv=matrix(
            torch.cat([table.take(f"{attention}{p}_proj.weight", (n, hidden)) for p, n in projections.items()])
        ),
        out=matrix(table.take(f"{attention}o_proj.weight", (hidden, q))),
        text=_feed_forward(config, table, name, matrix),
        audio=_feed_forward(config, table, f"{name}audio_", matrix),
    )


def _feed_forward(config: HiggsConfig, table: TensorTable, name: str, matrix: MatrixOf) -> FeedForward:
    hidden, inner = config.hidden_size, config.intermediate_size
    mlp = f"{name}mlp."
    gate_up = [table.take(f"{mlp}{p}_proj.weight", (inner, hidden)) for p in ("gate", "up")]
    return FeedForward(
        input_norm=table.take(f"{name}input_layernorm.weight", (hidden,)),
        post_norm=table.take(f"{name}post_attention_layernorm.weight", (hidden,)),
        gate_up=matrix(torch.cat(gate_up)),
        down=matrix(table.take(f"{mlp}down_proj.weight", (hidden, inner))),
    )


def _name(folder: Path) -> str:
    """The folder's name; in a Hugging Face cache (models--owner--name/snapshots/revision) owner/name."""
    for part in folder.absolute().parts[::-1]:
        if part.startswith("models--"):
            return part.removeprefix("models--").replace("--", "/")
    return folder.absolute().name
