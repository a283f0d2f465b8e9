"""The audio codec's decoder: frames of codes to samples, 24 kHz mono, 960 samples a frame.

Residual vector quantiser, a linear layer, and DAC's convolutional decoder without its tanh. The convolutions
look both ways: a sample depends on `CONTEXT` frames on either side, so a chunk decoded with that much context
equals the whole. Module names are the checkpoint's own. Shapes: B rows, N codebooks, T frames, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.codec_stream import Excerpt
from inference.higgs.config import ConfigError, read_json
from inference.higgs.hubert import HubertConfig, parse_hubert_config
from inference.higgs.tensors import TensorTable

CONTEXT = 10
"""Frames on each side that a decoded sample depends on (9.85 measured on the published geometry)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecConfig:
    """The codec's geometry; `semantic` is that of its encoder's HuBERT."""

    sample_rate: int
    codebook_size: int
    codebook_dim: int
    num_codebooks: int
    acoustic_size: int
    encoder_size: int
    decoder_size: int
    downsampling: tuple[int, ...]
    upsampling: tuple[int, ...]
    kernel_size: int
    unit_kernel_size: int
    block_dilations: tuple[int, ...]
    blocks: int
    semantic_rate: int
    semantic_stride: int
    """Samples of HuBERT's input per hidden state."""
    semantic: HubertConfig

    def __post_init__(self) -> None:
        if self.samples_per_frame * self.semantic_rate % (self.sample_rate * self.semantic_stride):
            raise ConfigError(
                f"frames of {self.samples_per_frame} samples at {self.sample_rate} Hz are no whole number of the "
                f"semantic model's states of {self.semantic_stride} at {self.semantic_rate} Hz"
            )

    @property
    def samples_per_frame(self) -> int:
        return math.prod(self.upsampling)

    @property
    def hidden_size(self) -> int:
        return self.acoustic_size + self.semantic.hidden_size

    @property
    def semantic_step(self) -> int:
        """Hidden states of HuBERT per frame."""
        return self.samples_per_frame * self.semantic_rate // (self.sample_rate * self.semantic_stride)


def load_codec_config(folder: Path) -> CodecConfig:
    """Read the codec's config.json (Hugging Face's dialect). Raises ConfigError."""
    data = read_json(folder / "config.json")
    if data.get("model_type") != "higgs_audio_v2_tokenizer":
        raise ConfigError(f"model_type {data.get('model_type')!r} is not a Higgs Audio V2 codec")
    try:
        acoustic = data["acoustic_model_config"]
        rate, size = data["sample_rate"], data["codebook_size"]
        down, up = tuple(acoustic["downsampling_ratios"]), tuple(acoustic["upsampling_ratios"])
        if set(data["strides"]) != {1} or set(data["channel_ratios"]) != {1}:
            raise ConfigError("strides and channel_ratios other than 1 are not supported by the semantic encoder")
        if math.prod(down) != math.prod(up):
            raise ConfigError(f"downsampling_ratios {down} and upsampling_ratios {up} have different products")
        frame_rate = math.ceil(rate / math.prod(down))
        return CodecConfig(
            sample_rate=rate,
            codebook_size=size,
            codebook_dim=data["codebook_dim"],
            num_codebooks=int(1000 * data["target_bandwidths"][-1] // (frame_rate * math.ceil(math.log2(size)))),
            acoustic_size=acoustic["hidden_size"],
            encoder_size=acoustic["encoder_hidden_size"],
            decoder_size=acoustic["decoder_hidden_size"],
            downsampling=down,
            upsampling=up,
            kernel_size=data["kernel_size"],
            unit_kernel_size=data["unit_kernel_size"],
            block_dilations=tuple(data["block_dilations"]),
            blocks=len(data["strides"]),
            semantic_rate=data["semantic_sample_rate"],
            semantic_stride=data["downsample_factor"],
            semantic=parse_hubert_config(data["semantic_model_config"]),
        )
    except KeyError as error:
        raise ConfigError(f"the codec's config.json lacks {error.args[0]!r}") from error


class Snake(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sin(self.alpha * x).square() / (self.alpha + 1e-9)


class ResidualUnit(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.snake1, self.snake2 = Snake(channels), Snake(channels)
        self.conv1 = nn.Conv1d(channels, channels, 7, dilation=dilation, padding=3 * dilation)
        self.conv2 = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.conv2(self.snake2(self.conv1(self.snake1(x)))))


class DecoderBlock(nn.Module):
    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.snake1 = Snake(channels)
        self.conv_t1 = nn.ConvTranspose1d(
            channels, out, 2 * stride, stride, padding=math.ceil(stride / 2), output_padding=stride % 2
        )
        self.res_unit1, self.res_unit2, self.res_unit3 = (ResidualUnit(out, d) for d in (1, 3, 9))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_t1(self.snake1(x))
        return cast(Tensor, self.res_unit3(self.res_unit2(self.res_unit1(x))))


class AcousticDecoder(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        sizes = [config.decoder_size // 2**i for i in range(len(config.upsampling) + 1)]
        self.conv1 = nn.Conv1d(config.acoustic_size, sizes[0], 7, padding=3)
        self.block = nn.Sequential(
            *(DecoderBlock(sizes[i], sizes[i + 1], stride) for i, stride in enumerate(config.upsampling))
        )
        self.snake1 = Snake(sizes[-1])
        self.conv2 = nn.Conv1d(sizes[-1], 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.conv2(self.snake1(self.block(self.conv1(x)))))


class Codebook(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.zeros(config.codebook_size, config.codebook_dim))


class Quantizer(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.codebook = Codebook(config)
        self.project_out = nn.Linear(config.codebook_dim, config.hidden_size)

    def decode(self, codes: Tensor) -> Tensor:
        return cast(Tensor, self.project_out(F.embedding(codes, self.codebook.embed)))


class ResidualQuantizer(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.quantizers = nn.ModuleList(Quantizer(config) for _ in range(config.num_codebooks))

    def decode(self, codes: Tensor) -> Tensor:
        """Codes [B, N, T] to vectors [B, T, hidden]."""
        total = torch.zeros((), device=codes.device)
        for quantizer, book in zip(self.quantizers, codes.unbind(1), strict=True):
            total = total + cast(Quantizer, quantizer).decode(book)
        return total


class Codec(nn.Module):
    """Decodes codes to audio."""

    context, alignment = CONTEXT, 1

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.quantizer = ResidualQuantizer(config)
        self.fc2 = nn.Linear(config.hidden_size, config.acoustic_size)
        self.acoustic_decoder = AcousticDecoder(config)

    @torch.inference_mode()
    def decode(self, codes: Tensor, excerpts: Sequence[Excerpt] | None = None) -> Tensor:
        """See `codecs.Codec`; audio depends on the codes alone."""
        x = self.fc2(self.quantizer.decode(codes)).transpose(1, 2)  # [B, C, T]
        return cast(Tensor, self.acoustic_decoder(x)).squeeze(1)


UNUSED = (
    r"decoder_semantic\..*",
    r"fc1\..*",
    r".*\.codebook\.(embed_avg|cluster_size|inited)",
    r"semantic_model\.masked_spec_embed",
)
_ENCODER = (r"(acoustic_encoder|encoder_semantic|semantic_model|fc)\..*", r".*\.project_in\..*")


def load_codec(folder: Path, *, device: torch.device | str = "cpu") -> Codec:
    """Load the decoder, always float32. Raises ConfigError or CheckpointError."""
    codec = Codec(load_codec_config(folder))
    fill(codec, folder, device, UNUSED + _ENCODER)
    return codec


def fill(module: nn.Module, folder: Path, device: torch.device | str, unused: tuple[str, ...]) -> None:
    """Give every parameter of `module` its tensor from the checkpoint, leaving out those that `unused` matches.

    Raises CheckpointError.
    """
    table = TensorTable(folder, device=device, dtype=torch.float32)
    state = {name: table.take(name, value.shape) for name, value in module.state_dict().items()}
    table.drop(*unused)
    table.close()
    module.load_state_dict(state, assign=True)
    module.to(device).eval().requires_grad_(False)
