"""The audio codec's encoder: samples to frames of codes, for voice samples.

Two branches hear the audio, DAC's convolutions how it sounds and HuBERT what is said. A linear layer joins them,
and a residual vector quantiser turns each vector into N codes: each codebook takes what the ones before it left
over. Module names are the checkpoint's own. Shapes: B rows, S samples, T frames, N codebooks, C channels.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.codec import UNUSED, CodecConfig, Quantizer, ResidualUnit, Snake, fill, load_codec_config
from inference.higgs.hubert import Hubert
from inference.higgs.resample import resample

_HUBERT_PADDING = 160
"""Zeros on each side of what HuBERT hears, so that its states lie in the middle of their samples."""


class EncoderBlock(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.res_unit1, self.res_unit2, self.res_unit3 = (ResidualUnit(channels, d) for d in (1, 3, 9))
        self.snake1 = Snake(channels)
        self.conv1 = nn.Conv1d(channels, 2 * channels, 2 * stride, stride, padding=math.ceil(stride / 2))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.conv1(self.snake1(self.res_unit3(self.res_unit2(self.res_unit1(x))))))


class AcousticEncoder(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.strides = config.downsampling
        self.conv1 = nn.Conv1d(1, config.encoder_size, 7, padding=3)
        self.block = nn.Sequential(
            *(EncoderBlock(config.encoder_size * 2**i, stride) for i, stride in enumerate(config.downsampling))
        )
        channels = config.encoder_size * 2 ** len(config.downsampling)
        self.snake1 = Snake(channels)
        self.conv2 = nn.Conv1d(channels, config.acoustic_size, 3, padding=1)

    def length(self, samples: int) -> int:
        """How many frames `forward` makes of so many samples."""
        for stride in self.strides:
            samples = (samples + 2 * math.ceil(stride / 2) - 2 * stride) // stride + 1
        return samples

    def forward(self, audio: Tensor) -> Tensor:
        return cast(Tensor, self.conv2(self.snake1(self.block(self.conv1(audio[:, None])))))


class SemanticUnit(nn.Module):
    def __init__(self, config: CodecConfig, dilation: int) -> None:
        super().__init__()
        channels, kernel = config.semantic.hidden_size, config.unit_kernel_size
        padding = (kernel - 1) // 2 * dilation
        self.conv1 = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding, bias=False)
        self.conv2 = nn.Conv1d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.conv2(F.elu(self.conv1(F.elu(x)))))


class SemanticBlock(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.res_units = nn.Sequential(*(SemanticUnit(config, dilation) for dilation in config.block_dilations))
        self.conv = nn.Conv1d(config.semantic.hidden_size, config.semantic.hidden_size, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.conv(self.res_units(x)))


class SemanticEncoder(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        channels, kernel = config.semantic.hidden_size, config.kernel_size
        self.conv = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, bias=False)
        self.conv_blocks = nn.Sequential(*(SemanticBlock(config) for _ in range(config.blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.conv_blocks(self.conv(x)))


class EncodingQuantizer(Quantizer):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__(config)
        self.project_in = nn.Linear(config.hidden_size, config.codebook_dim)

    def encode(self, x: Tensor) -> Tensor:
        """The nearest codes [B, T] to vectors [B, T, hidden]."""
        vectors, book = self.project_in(x), self.codebook.embed
        # The square of the vector itself is the same for every code.
        return cast(Tensor, (2 * vectors @ book.T - book.square().sum(1)).argmax(-1))


class ResidualEncoder(nn.Module):
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.quantizers = nn.ModuleList(EncodingQuantizer(config) for _ in range(config.num_codebooks))

    def encode(self, x: Tensor) -> Tensor:
        """Vectors [B, T, hidden] to codes [B, N, T]."""
        codes = []
        for module in self.quantizers:
            quantizer = cast(EncodingQuantizer, module)
            codes.append(quantizer.encode(x))
            x = x - quantizer.decode(codes[-1])
        return torch.stack(codes, 1)


class CodecEncoder(nn.Module):
    """Encodes audio as codes."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.acoustic_encoder = AcousticEncoder(config)
        self.semantic_model = Hubert(config.semantic)
        self.encoder_semantic = SemanticEncoder(config)
        self.fc = nn.Linear(config.hidden_size, config.hidden_size)
        self.quantizer = ResidualEncoder(config)

    @torch.inference_mode()
    def encode(self, audio: Tensor) -> Tensor:
        """Samples [B, S] at the codec's rate to codes [B, N, T].

        Audio of a whole number of frames, and of a second or more, is what the published weights take best; other
        lengths are padded as Hugging Face's implementation does, which Boson's does otherwise.

        Raises:
            ValueError: the audio is too short to be a frame.
        """
        return self.quantizer.encode(self.embed(audio))

    @torch.inference_mode()
    def embed(self, audio: Tensor) -> Tensor:
        """The vectors [B, T, hidden] that the quantiser is given for samples [B, S]. Raises ValueError."""
        frame = self.config.samples_per_frame
        if audio.shape[-1] < frame:
            raise ValueError(f"{audio.shape[-1]} samples are less than a frame of {frame}")
        heard = resample(audio, self.config.sample_rate, self.config.semantic_rate)
        states = self.semantic_model(F.pad(heard, (_HUBERT_PADDING, _HUBERT_PADDING)))
        states = states[:, :: self.config.semantic_step].transpose(1, 2)
        semantic = self.encoder_semantic(states)  # [B, C, T]
        if self.acoustic_encoder.length(audio.shape[-1]) != semantic.shape[-1]:
            audio = F.pad(audio, (frame // 2, frame // 2))
        joined = torch.cat([self.acoustic_encoder(audio), semantic], dim=1)
        return cast(Tensor, self.fc(joined.transpose(1, 2)))


_DECODER = (r"acoustic_decoder\..*", r"fc2\..*")


def load_codec_encoder(folder: Path, *, device: torch.device | str = "cpu") -> CodecEncoder:
    """Load the encoder, always float32. Raises ConfigError or CheckpointError."""
    encoder = CodecEncoder(load_codec_config(folder))
    fill(encoder, folder, device, UNUSED + _DECODER)
    encoder.semantic_model.encoder.pos_conv_embed.fuse()
    return encoder
