"""HuBERT as the codec uses it, to hear what is said: the mean of all its hidden states.

The network is HuBERT-base's (https://arxiv.org/abs/2106.07447): convolutions to one state per 320 samples, a
convolution that tells position, post-norm transformer layers. Module names are the checkpoint's own. Shapes:
B rows, S samples, T states, H hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)
from torch.nn.utils import parametrizations, parametrize

from inference.higgs.config import ConfigError

_NEUTRAL: dict[str, Any] = {
    "hidden_act": "gelu",
    "feat_extract_activation": "gelu",
    "feat_extract_norm": "group",
    "feat_proj_layer_norm": True,
    "conv_pos_batch_norm": False,
    "do_stable_layer_norm": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HubertConfig:
    """HuBERT's geometry."""

    hidden_size: int
    layers: int
    heads: int
    intermediate_size: int
    norm_eps: float
    conv_sizes: tuple[int, ...]
    conv_kernels: tuple[int, ...]
    conv_strides: tuple[int, ...]
    conv_bias: bool
    position_kernel: int
    position_groups: int


def parse_hubert_config(data: Mapping[str, Any]) -> HubertConfig:
    """Build it from the codec's `semantic_model_config`. Raises ConfigError, or KeyError for what is absent."""
    for name, value in _NEUTRAL.items():
        if data.get(name, value) != value:
            raise ConfigError(f"{name}={data[name]!r} is not supported: no published codec's HuBERT uses it")
    config = HubertConfig(
        hidden_size=data["hidden_size"],
        layers=data["num_hidden_layers"],
        heads=data["num_attention_heads"],
        intermediate_size=data["intermediate_size"],
        norm_eps=data["layer_norm_eps"],
        conv_sizes=tuple(data["conv_dim"]),
        conv_kernels=tuple(data["conv_kernel"]),
        conv_strides=tuple(data["conv_stride"]),
        conv_bias=data["conv_bias"],
        position_kernel=data["num_conv_pos_embeddings"],
        position_groups=data["num_conv_pos_embedding_groups"],
    )
    if not len(config.conv_sizes) == len(config.conv_kernels) == len(config.conv_strides):
        raise ConfigError("conv_dim, conv_kernel and conv_stride are not of one length")
    return config


class ConvLayer(nn.Module):
    def __init__(self, config: HubertConfig, index: int) -> None:
        super().__init__()
        channels, out = (1, *config.conv_sizes)[index], config.conv_sizes[index]
        kernel, stride = config.conv_kernels[index], config.conv_strides[index]
        self.conv = nn.Conv1d(channels, out, kernel, stride, bias=config.conv_bias)
        self.layer_norm = nn.GroupNorm(out, out) if not index else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.layer_norm(self.conv(x)))


class FeatureExtractor(nn.Module):
    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.conv_layers = nn.Sequential(*(ConvLayer(config, i) for i in range(len(config.conv_sizes))))

    def forward(self, audio: Tensor) -> Tensor:
        return cast(Tensor, self.conv_layers(audio[:, None])).transpose(1, 2)


class FeatureProjection(nn.Module):
    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.conv_sizes[-1], config.norm_eps)
        self.projection = nn.Linear(config.conv_sizes[-1], config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.projection(self.layer_norm(x)))


class PositionalConv(nn.Module):
    """The checkpoint keeps this one convolution's weight as a length and a direction; `fuse` multiplies them."""

    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        hidden, kernel = config.hidden_size, config.position_kernel
        self.conv = nn.Conv1d(hidden, hidden, kernel, padding=kernel // 2, groups=config.position_groups)
        parametrizations.weight_norm(self.conv, dim=2)

    def fuse(self) -> None:
        parametrize.remove_parametrizations(self.conv, "weight")

    def forward(self, x: Tensor) -> Tensor:
        # An even kernel gives one state too many.
        return F.gelu(self.conv(x.transpose(1, 2))[..., : x.shape[1]]).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.heads = config.heads
        hidden = config.hidden_size
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(hidden, hidden) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, D]
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        return cast(Tensor, self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)))


class FeedForward(nn.Module):
    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output_dense = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.output_dense(F.gelu(self.intermediate_dense(x))))


class EncoderLayer(nn.Module):
    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, config.norm_eps)
        self.feed_forward = FeedForward(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, config.norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer_norm(x + self.attention(x))
        return cast(Tensor, self.final_layer_norm(x + self.feed_forward(x)))


class Encoder(nn.Module):
    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.pos_conv_embed = PositionalConv(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, config.norm_eps)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))

    def forward(self, x: Tensor) -> Tensor:
        """The mean of the state before the first layer and of that after each."""
        x = self.layer_norm(x + self.pos_conv_embed(x))
        total = x
        for layer in self.layers:
            x = layer(x)
            total = total + x
        return total / (len(self.layers) + 1)


class Hubert(nn.Module):
    def __init__(self, config: HubertConfig) -> None:
        super().__init__()
        self.feature_extractor = FeatureExtractor(config)
        self.feature_projection = FeatureProjection(config)
        self.encoder = Encoder(config)

    def forward(self, audio: Tensor) -> Tensor:
        """Samples [B, S] at 16 kHz to states [B, T, H], one per 320 samples."""
        return cast(Tensor, self.encoder(self.feature_projection(self.feature_extractor(audio))))
