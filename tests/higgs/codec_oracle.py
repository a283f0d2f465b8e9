"""A small random codec, written and judged by transformers, which asks for torchaudio only to resample."""

from __future__ import annotations

import math
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from transformers import DacConfig, HubertConfig
from transformers.models.higgs_audio_v2_tokenizer.configuration_higgs_audio_v2_tokenizer import (
    HiggsAudioV2TokenizerConfig,
)
from transformers.utils import import_utils

torch.set_num_threads(1)


def resample_by_the_formula(audio: torch.Tensor, source: int, target: int) -> torch.Tensor:
    """torchaudio.functional.resample, sample by sample: y(t) is the sum of x[i] · h(i / source - t)."""
    cutoff = 0.99 * min(source, target)
    times = torch.arange(math.ceil(audio.shape[-1] * target / source), dtype=torch.float64) / target
    reach = math.ceil(6 * source / cutoff) + 1
    near = (times * source).floor().long()[:, None] + torch.arange(-reach, reach + 1)
    t = (near.double() / source - times[:, None]) * cutoff
    kernel = torch.sinc(t) * torch.cos(t * math.pi / 12) ** 2 * (t.abs() < 6) * cutoff / source
    kernel *= (near >= 0) & (near < audio.shape[-1])
    return (audio.double()[..., near.clamp(0, audio.shape[-1] - 1)] * kernel).sum(-1).to(audio.dtype)


import_utils.BACKENDS_MAPPING["torchaudio"] = (lambda: True, "")
sys.modules["torchaudio"] = torchaudio = ModuleType("torchaudio")
torchaudio.__dict__["functional"] = SimpleNamespace(resample=resample_by_the_formula)
modeling = import_module("transformers.models.higgs_audio_v2_tokenizer.modeling_higgs_audio_v2_tokenizer")


def make_codec(
    folder: Path,
    *,
    bits: int = 5,
    decoder: int = 64,
    hidden: int = 16,
    bandwidths: tuple[float, ...] | None = None,
) -> Any:
    """Save a codec and return it; everything in it is random, codebooks included.

    It has 8 codebooks of so many bits, or as many as the last of `bandwidths`, in kilobits per second, has room
    for. The published one has 10 bits and a decoder of 1024 channels over 256.
    """
    torch.manual_seed(0)
    ratios = [8, 5, 4, 2, 3]
    config = HiggsAudioV2TokenizerConfig(
        codebook_dim=8, codebook_size=2**bits, target_bandwidths=bandwidths or (bits / 10, bits / 5),
        acoustic_model_config=DacConfig(
            encoder_hidden_size=4, decoder_hidden_size=decoder, hidden_size=hidden,
            downsampling_ratios=ratios, upsampling_ratios=ratios,
        ),
        semantic_model_config=HubertConfig(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, conv_dim=(8,) * 7,
            num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
        ),
    )  # fmt: skip
    model = modeling.HiggsAudioV2TokenizerModel(config).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("codebook.embed"):
                value.normal_()
            elif name.endswith("alpha"):
                value.uniform_(0.5, 1.5)
            elif "acoustic" in name and value.ndim == 3:
                # The encoder is as deep again; its snakes would blow the signal, and each rounding, up to 40.
                gain = 0.8 if "encoder" in name else 1.0
                value.normal_(std=gain * (value.shape[1] * value.shape[2]) ** -0.5)
    model.save_pretrained(folder)
    return model
