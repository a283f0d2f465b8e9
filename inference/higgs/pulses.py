"""Audio out of spectra and a pitch curve: filtered pulses, shaped noise and a branch of free phase.

    S = exp(harmonic) · e^(iπ tanh shift) · STFT(pulses(f0)) + exp(noise) · Z + exp(free) · e^(i phase)

after hibari's dsp.py (Apache-2.0, see NOTICE), here in batches and in pieces of a stream: the pulses' phase goes
on where the stream's last window left it, and the noise is that of the place in the stream, so that pieces join.
Shapes: B rows, U frames of `hop` samples, K = 2·hop + 1 bins.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.audio import SAMPLES_PER_FRAME
from inference.higgs.codec_stream import Excerpt

HALO = 2
"""Frames on each side whose spectra a sample depends on."""
TOP_HZ = 11_000.0
VOICED_HZ = 40.0
LOUDEST = 7.0
"""The greatest logarithm of a magnitude."""
NOISE_FRAMES = 997
"""The noise repeats after 12.5 s; what it is shaped by does not."""


@dataclass(frozen=True, slots=True)
class Spectra:
    """The five parts, each [B, U, K]."""

    harmonic: Tensor
    shift: Tensor
    noise: Tensor
    free: Tensor
    phase: Tensor

    @classmethod
    def of(cls, head: Tensor, bins: int) -> Spectra:
        return cls(*torch.split(head, bins, dim=-1))

    def warped(self, formants: Tensor) -> Spectra:
        """Every spectrum stretched by its frame's factor [B, U]: below 1 sounds like a larger speaker."""
        if bool((formants == 1).all()):
            return self
        bins = self.harmonic.shape[-1]
        source = torch.arange(bins, device=formants.device) / formants[..., None]  # [B, U, K]
        low = source.floor().clamp(0, bins - 2).long()
        weight = (source - low).clamp(0, 1)
        nearest = source.round().clamp(0, bins - 1).long()

        def smooth(x: Tensor) -> Tensor:
            return x.gather(-1, low) * (1 - weight) + x.gather(-1, low + 1) * weight

        # Angles cannot be averaged.
        return Spectra(
            smooth(self.harmonic),
            self.shift.gather(-1, nearest),
            smooth(self.noise),
            smooth(self.free),
            self.phase.gather(-1, nearest),
        )

    def breathed(self, breath: Tensor) -> Spectra:
        """More noise and less of the pulses, by so many nepers [B, U]."""
        if bool((breath == 0).all()):
            return self
        return replace(self, noise=self.noise + breath[..., None], harmonic=self.harmonic - breath[..., None] / 2)

    def amplified(self, gain: Tensor) -> Spectra:
        """All of it louder, by so many nepers [B, U]."""
        by = gain[..., None]
        return replace(self, harmonic=self.harmonic + by, noise=self.noise + by, free=self.free + by)


def synthesize(
    spectra: Spectra, f0: Tensor, excerpts: Sequence[Excerpt], firsts: Sequence[int], *, hop: int, rate: int
) -> Tensor:
    """Samples [B, U · hop] of as many windows; their tracks are left where the windows' kept part ends.

    Args:
        f0: [B, V] Hz, 0 where there is no voice; V is U or more.
        firsts: the numbers of the frames in their streams that U begins with.
    """
    device, frames = f0.device, spectra.harmonic.shape[1]
    places = torch.tensor(firsts, device=device)
    frequency = _interpolated(f0, hop)
    cycles = (frequency.double().clamp_min(VOICED_HZ) / rate).cumsum(1)  # [B, U · hop]
    before = F.pad(cycles, (1, 0))
    starts, ends = (
        torch.tensor([number * SAMPLES_PER_FRAME for number in numbers], device=device) - places * hop
        for numbers in zip(*((e.window.start, e.window.end) for e in excerpts), strict=True)
    )
    known = torch.tensor([e.track.phase for e in excerpts], dtype=torch.float64, device=device)
    offset = known - before.gather(1, starts[:, None]).squeeze(1)
    for excerpt, phase in zip(
        excerpts, (offset + before.gather(1, ends[:, None]).squeeze(1)).tolist(), strict=True
    ):
        excerpt.track.phase = phase % 1.0
    pulses = _pulses(frequency, cycles + offset[:, None])

    window = _window(4 * hop, device)
    source = torch.stft(
        pulses, 4 * hop, hop, window=window / hop, center=True, pad_mode="reflect", return_complex=True
    ).transpose(1, 2)[:, :frames]
    numbers = places[:, None] + torch.arange(frames, device=device)
    noise = _noise(2 * hop + 1, device)[numbers % NOISE_FRAMES]
    spectrum = source * _polar(_exp(spectra.harmonic), math.pi * spectra.shift.tanh())
    spectrum = spectrum + noise * _exp(spectra.noise) + _polar(_exp(spectra.free), spectra.phase)
    return torch.istft(
        # The last frame reaches past the end: a silent one more closes the sum.
        F.pad(spectrum.transpose(1, 2), (0, 1)),
        4 * hop,
        hop,
        window=window,
        center=True,
        length=frames * hop,
    )


def _polar(magnitude: Tensor, angle: Tensor) -> Tensor:
    """As `torch.polar`, which on the CPU computes one number at a time, and takes five times as long."""
    return torch.complex(magnitude * angle.cos(), magnitude * angle.sin())


def _exp(x: Tensor) -> Tensor:
    return x.clamp_max(LOUDEST).exp()


def _interpolated(f0: Tensor, hop: int) -> Tensor:
    """f0 [B, U] at every sample [B, U · hop], straight lines between the frames' middles."""
    place = (torch.arange(hop, device=f0.device) + 0.5) / hop - 0.5
    weight = place % 1.0
    padded = F.pad(f0[:, None], (1, 1), mode="replicate")[:, 0]
    half = hop // 2
    early = padded[:, :-2, None] * (1 - weight[:half]) + padded[:, 1:-1, None] * weight[:half]
    late = padded[:, 1:-1, None] * (1 - weight[half:]) + padded[:, 2:, None] * weight[half:]
    return torch.cat([early, late], dim=-1).flatten(1)


def _pulses(frequency: Tensor, cycles: Tensor) -> Tensor:
    """Every harmonic up to TOP_HZ at the same strength; the closed form of the sum of cosines."""
    voiced = frequency > VOICED_HZ
    angle = (2 * math.pi * (cycles % 1.0)).float()
    harmonics = (TOP_HZ / frequency.clamp_min(VOICED_HZ)).floor() + 0.5
    below = 2 * (angle / 2).sin()
    near = below.abs() <= 2e-3
    total = torch.where(near, harmonics, (harmonics * angle).sin() / below.masked_fill(near, 1.0))
    return torch.where(voiced, total - 0.5, 0.0)


@functools.cache
def _window(length: int, device: torch.device) -> Tensor:
    return torch.hann_window(length, device=device)


@functools.cache
def _noise(bins: int, device: torch.device) -> Tensor:
    """[NOISE_FRAMES, bins]; each part of unit variance, always the same."""
    generator = torch.Generator().manual_seed(0)
    parts = torch.randn(NOISE_FRAMES, bins, 2, generator=generator)
    return torch.view_as_complex(parts).to(device)
