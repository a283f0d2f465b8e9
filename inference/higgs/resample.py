"""Changes the sample rate as the codec was trained with it: torchaudio's default, windowed sinc interpolation.

Formula: https://docs.pytorch.org/audio/stable/generated/torchaudio.functional.resample.html, whose package the
product does without.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

ZERO_CROSSINGS = 6
"""The sinc's zero crossings on each side of a sample, where the window ends."""
ROLLOFF = 0.99
"""The cut-off as a fraction of the smaller Nyquist frequency."""
MAX_WEIGHTS = 1 << 24


def resample(audio: Tensor, source: int, target: int) -> Tensor:
    """Samples [..., S] at `source` Hz to [..., ceil(S · target / source)] at `target` Hz.

    Raises:
        ValueError: a rate is not positive, or the two have so small a common divisor that the filters would not
            fit into memory; every rate in use, from 8 to 192 kHz, is well within.
    """
    if source == target:
        return audio
    if source <= 0 or target <= 0:
        raise ValueError(f"sample rates are positive, not {source} and {target}")
    divisor = math.gcd(source, target)
    old, new = source // divisor, target // divisor
    width = math.ceil(ZERO_CROSSINGS * old / (min(old, new) * ROLLOFF))
    if new * (2 * width + old) > MAX_WEIGHTS:
        raise ValueError(f"{source} Hz is an unusual rate; 16000, 22050, 24000, 44100 or 48000 would do")
    length = math.ceil(new * audio.shape[-1] / old)
    padded = F.pad(audio.reshape(-1, 1, audio.shape[-1]), (width, width + old))
    phases = F.conv1d(padded, _filters(old, new, width).to(audio), stride=old)  # [B, new, ...]
    return phases.transpose(1, 2).flatten(1)[:, :length].reshape(*audio.shape[:-1], length)


@lru_cache(maxsize=8)
def _filters(old: int, new: int, width: int) -> Tensor:
    """A filter [new, 1, old + 2 · width] for each place that an output sample can have between inputs."""
    cutoff = min(old, new) * ROLLOFF
    inputs = torch.arange(-width, width + old, dtype=torch.float64) / old
    outputs = torch.arange(new, dtype=torch.float64) / new
    crossings = ((inputs - outputs[:, None]) * cutoff).clamp(-ZERO_CROSSINGS, ZERO_CROSSINGS)
    window = torch.cos(crossings * math.pi / ZERO_CROSSINGS / 2).square()
    return (torch.sinc(crossings) * window * cutoff / old).float()[:, None]
