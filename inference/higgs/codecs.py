"""The codecs that a checkpoint may have: which one its `codec/config.json` says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from inference.higgs import spectral_codec
from inference.higgs.codec import load_codec as load_dac_codec
from inference.higgs.codec_stream import Excerpt
from inference.higgs.config import read_json


class Geometry(Protocol):
    @property
    def sample_rate(self) -> int: ...
    @property
    def samples_per_frame(self) -> int: ...
    @property
    def num_codebooks(self) -> int: ...
    @property
    def codebook_size(self) -> int: ...


class Codec(Protocol):
    """Makes audio of codes; the same audio whether it gets a stream whole or in windows."""

    @property
    def config(self) -> Geometry: ...

    context: int
    """Frames on each side that a sample depends on."""
    alignment: int
    """A window begins at a multiple of so many frames."""

    def decode(self, codes: Tensor, excerpts: Sequence[Excerpt] | None = None) -> Tensor:
        """Codes [B, N, T] to samples [B, samples_per_frame · T], roughly within [-1, 1]; nothing is clipped.

        Args:
            excerpts: what each row is a part of, and how it is to sound; whole streams by default.
        """


def load_codec(
    folder: Path, *, device: torch.device | str = "cpu", matrices: torch.dtype = torch.float32
) -> Codec:
    """Load the decoder. Raises ConfigError or CheckpointError.

    Args:
        matrices: what it multiplies in where it bears less than float32; the published codec does not.
    """
    if read_json(folder / "config.json").get("model_type") == spectral_codec.MODEL_TYPE:
        return spectral_codec.load_spectral_codec(folder, device=device, matrices=matrices)
    return load_dac_codec(folder, device=device)
