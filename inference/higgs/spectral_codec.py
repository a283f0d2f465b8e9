"""A codec whose decoder gives the parameters of a vocoder, not samples: small enough for one CPU core.

Codes are looked up, raised from 25 to 80 frames/s, and turned into the features of a text-to-speech model's
acoustic decoder (what is said, log f0, energy); that decoder gives spectra, and `pulses` makes audio of them.
Since the pitch is explicit, a voice can be rendered higher or lower, larger or smaller, from the same codes.

Shapes: B rows, N codebooks, T frames at 25/s, U frames at 80/s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.higgs.codec import fill
from inference.higgs.codec_stream import Excerpt
from inference.higgs.config import ConfigError, read_json
from inference.higgs.linear import pack_linears
from inference.higgs.pulses import HALO, Spectra, synthesize
from inference.higgs.spectral_layers import pack_blocks, stack
from inference.higgs.spectral_stream import StreamDecoder

MODEL_TYPE = "spectral_codec"
ACOUSTIC_KERNEL = 7
PITCH = 128
"""The feature that holds log(1 + f0) / 5; those before it say what is spoken, the one after is the energy."""
VOICED_HZ = 40.0
"""What lies below is unvoiced."""
MIDDLE_HZ = 200.0
"""Where a voice's range is widened or narrowed about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectralConfig:
    sample_rate: int
    samples_per_frame: int
    num_codebooks: int
    codebook_size: int
    code_dim: int
    width: int
    encoder_blocks: tuple[int, int]
    """At 80 and at 25 frames/s."""
    decoder_blocks: tuple[int, int]
    """At 25 and at 80 frames/s."""
    slow_kernel: int
    fast_kernel: int
    """Of the decoder's blocks at 25 and at 80 frames/s: small, since they decide how far a stream looks ahead."""
    bands: int
    features: int
    acoustic_width: int
    acoustic_blocks: int
    hop: int
    """Samples of a frame at 80/s."""
    window: int
    """Samples of a spectrum."""

    @property
    def ratio(self) -> Fraction:
        """Fine frames to a code's frame: 16/5."""
        return Fraction(self.samples_per_frame, self.hop)

    @property
    def bins(self) -> int:
        return self.window // 2 + 1

    @property
    def context(self) -> int:
        """Frames on each side that a sample depends on."""
        fast = self.decoder_blocks[1] * (self.fast_kernel // 2)
        acoustic = (self.acoustic_blocks + 1) * (ACOUSTIC_KERNEL // 2)
        slow = self.decoder_blocks[0] * (self.slow_kernel // 2) + 1
        return slow + math.ceil((fast + acoustic + HALO) / self.ratio) + 1


def load_spectral_config(folder: Path) -> SpectralConfig:
    """Read the codec's config.json. Raises ConfigError."""
    data = read_json(folder / "config.json")
    values: dict[str, Any] = {}
    for field in fields(SpectralConfig):
        if field.name not in data:
            raise ConfigError(f"the codec's config.json lacks {field.name!r}")
        value = data[field.name]
        values[field.name] = tuple(value) if isinstance(value, list) else value
    config = SpectralConfig(**values)
    if config.samples_per_frame % config.hop == 0 or config.window != 4 * config.hop:
        raise ConfigError(f"hop {config.hop} and window {config.window} do not fit {config.samples_per_frame}")
    return config


class Encoder(nn.Module):
    """Log-mel [B, U, bands] to what is quantised [B, T, code_dim]; U is a multiple of 16."""

    def __init__(self, config: SpectralConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.inp = nn.Linear(config.bands, width)
        self.fast = stack(width, config.encoder_blocks[0], 7)
        self.down = nn.Linear(4 * width, width)
        self.phase = nn.Parameter(torch.zeros(config.ratio.denominator, width))
        self.slow = stack(width, config.encoder_blocks[1], 7)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.code_dim)

    def forward(self, mel: Tensor) -> Tensor:
        ratio = self.config.ratio
        x = self.fast(self.inp((mel + 4.5) / 3))
        frames = torch.arange(mel.shape[1] * ratio.denominator // ratio.numerator, device=mel.device)
        centre = torch.round(float(ratio) * (frames + 0.5) - 0.5).long()
        near = (centre[:, None] + torch.arange(-1, 3, device=mel.device)).clamp(0, mel.shape[1] - 1)
        x = self.down(x[:, near].flatten(2)) + self.phase[frames % ratio.denominator]
        return cast(Tensor, self.out(self.norm(self.slow(x))))


class FeatureDecoder(nn.Module):
    """Sums of code vectors [B, T, code_dim] to the acoustic decoder's features [B, U, features]."""

    def __init__(self, config: SpectralConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.inp = nn.Linear(config.code_dim, width)
        self.slow = stack(width, config.decoder_blocks[0], config.slow_kernel)
        self.up = nn.Linear(3 * width, width)
        self.phase = nn.Parameter(0.02 * torch.randn(config.ratio.numerator, width))
        self.fast = stack(width, config.decoder_blocks[1], config.fast_kernel)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, config.features)
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("scale", torch.ones(config.features))

    def forward(self, z: Tensor) -> Tensor:
        """T is a multiple of 5, so that both rates begin and end together."""
        x = self.slow(self.inp(z))
        return self.features(self.fast(self.raised(x, range(z.shape[1]))))

    def raised(self, x: Tensor, frames: range, first: int = 0) -> Tensor:
        """The fine frames of some frames of x [B, T, width], whose first one is number `first` of the stream."""
        ratio = self.config.ratio
        begin, end = (math.ceil(frame * ratio - Fraction(1, 2)) for frame in (frames.start, frames.stop))
        fine = torch.arange(begin, end, device=x.device)
        coarse = torch.floor((fine + 0.5) / float(ratio)).long() - first
        near = (coarse[:, None] + torch.arange(-1, 2, device=x.device)).clamp(0, x.shape[1] - 1)
        return cast(Tensor, self.up(x[:, near].flatten(2)) + self.phase[fine % ratio.numerator])

    def features(self, x: Tensor) -> Tensor:
        """Those of what leaves the last block."""
        return cast(Tensor, self.out(self.norm(x)) * self.scale + self.mean)


class AcousticDecoder(nn.Module):
    """Features [B, U, features] to a hidden state, and that to the five parts of a spectrum."""

    def __init__(self, config: SpectralConfig) -> None:
        super().__init__()
        width, self.sight = config.acoustic_width, ACOUSTIC_KERNEL // 2
        self.inp = nn.Conv1d(config.features, width, ACOUSTIC_KERNEL, padding=self.sight)
        self.blocks = stack(width, config.acoustic_blocks, ACOUSTIC_KERNEL)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 5 * config.bins)

    def entered(self, features: Tensor) -> Tensor:
        """What the first block gets."""
        return cast(Tensor, self.inp(features.transpose(1, 2)).transpose(1, 2))

    def hidden(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.norm(self.blocks(self.entered(features))))

    def forward(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.hidden(features)))


class Quantizer(nn.Module):
    def __init__(self, config: SpectralConfig) -> None:
        super().__init__()
        self.register_buffer("codebooks", torch.zeros(config.num_codebooks, config.codebook_size, config.code_dim))
        self.codebooks: Tensor

    def decode(self, codes: Tensor) -> Tensor:
        """Codes [B, N, T] to the sums of their vectors [B, T, code_dim]."""
        books = [F.embedding(codes[:, n], self.codebooks[n]) for n in range(codes.shape[1])]
        return torch.stack(books).sum(dim=0)

    def encode(self, z: Tensor) -> Tensor:
        """Vectors [..., code_dim] to codes [..., N]: each codebook the nearest to what those before it left."""
        rest, codes = z, []
        for book in self.codebooks:
            nearest = (book.square().sum(1) - 2 * rest @ book.T).argmin(dim=-1)
            codes.append(nearest)
            rest = rest - F.embedding(nearest, book)
        return torch.stack(codes, dim=-1)


class SpectralCodec(nn.Module):
    """Decodes codes to audio; see `codecs.Codec`."""

    def __init__(self, config: SpectralConfig) -> None:
        super().__init__()
        self.config = config
        self.quantizer = Quantizer(config)
        self.decoder = FeatureDecoder(config)
        self.acoustic = AcousticDecoder(config)
        self.context, self.alignment = config.context, config.ratio.denominator
        self._stream = StreamDecoder(self)

    @torch.inference_mode()
    def decode(self, codes: Tensor, excerpts: Sequence[Excerpt] | None = None) -> Tensor:
        """Codes [B, N, T] to samples [B, 960 · T]; without excerpts each row is a whole stream.

        Only what the windows keep is sound, and a little beyond it to fade with; the rest is silence. Of a
        window's frames only those are decoded that its track has not taken yet.
        """
        batch, _, frames = codes.shape
        excerpts = excerpts or [Excerpt.whole(frames) for _ in range(batch)]
        audio = torch.zeros(batch, frames * self.config.samples_per_frame, device=codes.device)
        alike: dict[tuple[int, ...], list[int]] = {}
        for row, excerpt in enumerate(excerpts):
            alike.setdefault(self._stream.kind(excerpt), []).append(row)
        for rows in alike.values():
            chosen = [excerpts[row] for row in rows]
            head, f0, firsts = self._stream.advance(codes[rows], chosen)
            voice = self._voice(chosen, firsts[0], head.shape[1])
            spectra = Spectra.of(head, self.config.bins).warped(voice[..., 2]).breathed(voice[..., 3])
            spectra = spectra.amplified(voice[..., 4])
            heard = synthesize(spectra, f0, chosen, firsts, hop=self.config.hop, rate=self.config.sample_rate)
            at = firsts[0] * self.config.hop - chosen[0].window.low * self.config.samples_per_frame
            audio[rows, at : at + heard.shape[1]] = heard[:, : audio.shape[1] - at]
        return audio

    def rendered(self, features: Tensor, excerpts: Sequence[Excerpt], first: int) -> tuple[Tensor, Tensor]:
        """Features [B, U, features] at the voices' own pitch, and this [B, U] in Hz; 0 where there is no voice.

        Args: first: the number of the first row's first fine frame.
        """
        voice = self._voice(excerpts, first, features.shape[1])
        f0 = torch.expm1(5 * features[..., PITCH])
        voiced = f0 >= VOICED_HZ
        shifted = MIDDLE_HZ * voice[..., 0] * (f0.clamp_min(VOICED_HZ) / MIDDLE_HZ) ** voice[..., 1]
        features[..., PITCH] = torch.where(voiced, torch.log1p(shifted) / 5, features[..., PITCH])
        return features, torch.where(voiced, shifted, 0.0)

    def _voice(self, excerpts: Sequence[Excerpt], first: int, count: int) -> Tensor:
        """[B, U, 5]: pitch, range, formants, breath and gain of `count` fine frames."""
        fine = torch.arange(first, first + count)
        frames = torch.floor((fine + 0.5) / float(self.config.ratio)).long() - excerpts[0].window.low
        renderings = [
            torch.tensor([[v.pitch, v.range, v.formants, v.breath, v.gain] for v in excerpt.renderings])
            for excerpt in excerpts
        ]
        rows = [each[frames.clamp(0, len(each) - 1)] for each in renderings]
        return torch.stack(rows).to(self.quantizer.codebooks.device)


def load_spectral_codec(
    folder: Path, *, device: torch.device | str = "cpu", matrices: torch.dtype = torch.float32
) -> SpectralCodec:
    """Load the decoder, its linear layers packed. Raises ConfigError or CheckpointError.

    Args:
        matrices: what the convolutional blocks and the acoustic decoder multiply in. bfloat16 moves the pitch by
            less than a cent and the audio by 0.6 % (-44 dB). The layers between which nothing is added to a
            residual stay in float32: there it would make the pitch tremble.
    """
    codec = SpectralCodec(load_spectral_config(folder))
    fill(codec, folder, device, (r"encoder\..*",))
    for module in (codec.decoder.slow, codec.decoder.fast, codec.acoustic):
        pack_blocks(module, matrices)
    pack_linears(codec.decoder, torch.float32)
    return codec
