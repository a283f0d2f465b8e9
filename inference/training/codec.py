"""Trains the codec: encoder, quantiser and feature decoder, against the teacher's features and its frozen decoder.

The loss that matters is the distance of the teacher's hidden states in the metric of its spectra: what cannot be
heard costs nothing. Codebooks move by averages, not by gradients.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (the name all of torch knows)

from inference.audio import SAMPLE_RATE, SAMPLES_PER_FRAME
from inference.higgs.spectral_codec import (
    PITCH,
    AcousticDecoder,
    Encoder,
    FeatureDecoder,
    Quantizer,
    SpectralConfig,
)
from inference.training import corpus
from inference.training.mel import BANDS, HOP, WINDOW, log_mel
from inference.training.precision import autocast
from inference.training.recipe import CodecRecipe, Recipe
from inference.training.run import Run
from inference.training.teacher import FEATURES
from inference.training.teacher_decoder import load_acoustic_decoder

VOICED = math.log1p(60) / 5
"""The pitch feature at 60 Hz: what is below is unvoiced or too uncertain to be held to."""
PART_WEIGHTS = (1.0, 0.1, 1.0, 1.0, 0.3)
"""Of the spectrum's five parts; angles matter less than magnitudes."""
LOG_EVERY = 50


def spectral_config(recipe: CodecRecipe) -> SpectralConfig:
    return SpectralConfig(
        sample_rate=SAMPLE_RATE,
        samples_per_frame=SAMPLES_PER_FRAME,
        num_codebooks=recipe.codebooks,
        codebook_size=recipe.codes,
        code_dim=recipe.code_dim,
        width=recipe.width,
        encoder_blocks=recipe.encoder_blocks,
        decoder_blocks=recipe.decoder_blocks,
        slow_kernel=3,
        fast_kernel=5,
        bands=BANDS,
        features=FEATURES,
        acoustic_width=256,
        acoustic_blocks=8,
        hop=HOP,
        window=WINDOW,
    )


class CodecModel(nn.Module):
    """What is trained; the names of its parts are the checkpoint's."""

    def __init__(self, config: SpectralConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.quantizer = Quantizer(config)
        self.decoder = FeatureDecoder(config)

    @torch.no_grad()
    def encode(self, mel: Tensor) -> Tensor:
        """Log-mel [B, U, bands] to codes [B, T, N]."""
        with autocast(mel.device.type):
            z = self.encoder(mel)
        return self.quantizer.encode(z.float())

    def silence(self) -> list[int]:
        """A frame's codes of silence: those that the encoder gives most often for some seconds without a sound."""
        mel = log_mel(np.zeros(4 * SAMPLE_RATE, np.float32))
        codes = self.encode(torch.from_numpy(mel)[None])[0].numpy()
        rows, counts = np.unique(codes, axis=0, return_counts=True)
        return [int(code) for code in rows[counts.argmax()]]


class Averages:
    """Moves the codebooks: each code towards the mean of what was nearest to it; a code that nothing uses is set
    anew on something that has to be said."""

    DECAY, DEAD = 0.98, 0.02

    def __init__(self, codebooks: Tensor) -> None:
        self.codebooks = codebooks
        self.count = torch.zeros(codebooks.shape[:2], device=codebooks.device)
        self.total = torch.zeros_like(codebooks)

    def begin(self, z: Tensor) -> None:
        """k-means of the first batch [M, D], book after book."""
        rest = z.clone()
        for book in range(len(self.codebooks)):
            size = self.codebooks.shape[1]
            centres = rest[torch.randperm(len(rest))[:size].to(rest.device)].clone()
            for _ in range(8):
                nearest = torch.cdist(rest, centres).argmin(1)
                count = torch.bincount(nearest, minlength=size).float()
                total = torch.zeros_like(centres).index_add_(0, nearest, rest)
                centres = torch.where(
                    count[:, None] > 0,
                    total / count.clamp_min(1)[:, None],
                    _some(rest, size),
                )
            self.codebooks[book] = centres
            self.count[book] = count.clamp_min(1) * (1 - self.DECAY)
            self.total[book] = centres * self.count[book][:, None]
            rest = rest - centres[torch.cdist(rest, centres).argmin(1)]

    def move(self, book: int, nearest: Tensor, rest: Tensor) -> None:
        size, share = self.codebooks.shape[1], 1 - self.DECAY
        count = torch.bincount(nearest, minlength=size).float()
        total = torch.zeros_like(self.total[book]).index_add_(0, nearest, rest)
        self.count[book].mul_(self.DECAY).add_(count, alpha=share)
        self.total[book].mul_(self.DECAY).add_(total, alpha=share)
        usual = len(rest) / size
        dead = self.count[book] < self.DEAD * usual
        self.total[book] = torch.where(dead[:, None], _some(rest, size) * usual / 5, self.total[book])
        self.count[book] = self.count[book].masked_fill(dead, usual / 5)
        self.codebooks[book] = self.total[book] / self.count[book].clamp_min(1e-5)[:, None]

    def quantize(self, z: Tensor, used: Tensor, *, move: bool) -> tuple[Tensor, Tensor]:
        """z [M, D] to sums of the first `used` [M] codebooks' vectors, straight through, and to codes [M, N]."""
        rest, total, codes = z.detach(), torch.zeros_like(z), []
        for book in range(len(self.codebooks)):
            centres = self.codebooks[book].clone()
            nearest = (centres.square().sum(1) - 2 * rest @ centres.T).argmin(1)
            chosen = centres[nearest]
            if move:
                self.move(book, nearest, rest)
            total = total + chosen * (used > book)[:, None]
            rest = rest - chosen
            codes.append(nearest)
        return z + (total - z).detach(), torch.stack(codes, -1)


def _some(rows: Tensor, count: int) -> Tensor:
    """Drawn with the processor's random numbers, which a checkpoint keeps."""
    return rows[torch.randint(len(rows), (count,)).to(rows.device)]


class Excerpts:
    """Random excerpts of the corpus's first shards, as batches. All of them are kept on the device."""

    def __init__(self, folder: Path, recipe: CodecRecipe, device: str) -> None:
        self._recipe = recipe
        shards = list(corpus.read(folder, count=recipe.shards))
        places, before = [], 0
        for shard in shards:
            places += [(before + u.start, u.frames) for u in shard.utterances if not u.held_out]
            before += len(shard.mel)
        if not places:
            raise SystemExit(f"{folder} has no utterance that is not held out: run the stage corpus first")
        self._places = torch.tensor(places)
        self._features, self._mel = (
            torch.cat([torch.from_numpy(np.array(part)).to(device) for part in parts])
            for parts in ([shard.features for shard in shards], [shard.mel for shard in shards])
        )

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each feature."""
        some = self._features[:200_000].float()
        return some.mean(0), some.std(0) + 1e-3

    def draw(self) -> tuple[Tensor, Tensor]:
        """Features [B, U, FEATURES] and log-mel [B, U, BANDS]; what is short goes on with its last frame."""
        length = self._recipe.frames
        start, frames = self._places[torch.randint(len(self._places), (self._recipe.batch,))].unbind(1)
        begin = (torch.rand(len(start)) * (frames - length + 1).clamp_min(1)).long()
        at = start[:, None] + (begin[:, None] + torch.arange(length)).minimum(frames[:, None] - 1)
        at = at.to(self._mel.device)
        return self._features[at].float(), self._mel[at].float()


def hearing(acoustic: AcousticDecoder) -> Tensor:
    """L such that |Lᵀ d|² is what a difference d of hidden states does to the spectra, bins on the mel scale."""
    weight = acoustic.head.weight.detach()
    bins = weight.shape[0] // 5
    mel = 1 / (1 + torch.arange(bins, device=weight.device) * (SAMPLE_RATE / 2 / (bins - 1)) / 700)
    importance = torch.cat([part * mel / mel.mean() for part in PART_WEIGHTS])
    metric = (weight * importance[:, None]).T @ weight / len(weight)
    return cast(Tensor, torch.linalg.cholesky(metric + 1e-6 * torch.eye(len(metric), device=metric.device)))


def train(run: Run, recipe: Recipe) -> None:
    """Train until the recipe's steps are done or the time is up.

    Raises:
        SystemExit: there is no corpus, or the codec is an imported checkpoint's.
    """
    torch.manual_seed(run.seed)
    sizes = recipe.codec
    config = spectral_config(sizes)
    data = Excerpts(run.folder / "corpus", sizes, run.device)
    acoustic = load_acoustic_decoder(config).to(run.device)
    metric = hearing(acoustic)
    model = CodecModel(config).to(run.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=sizes.rate, betas=(0.9, 0.98), weight_decay=0.01)
    averages = Averages(model.quantizer.codebooks)
    step = 0
    if (state := run.load()) is not None:
        if "step" not in state:
            raise SystemExit(f"{run.checkpoint} was imported: its codes are those of the imported student")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        averages.count.copy_(state["count"])
        averages.total.copy_(state["total"])
        step = state["step"]
        torch.set_rng_state(state["random"])
    else:
        model.decoder.mean, model.decoder.scale = data.statistics()
        with torch.no_grad():
            averages.begin(model.encoder(data.draw()[1]).flatten(0, 1))

    def save() -> None:
        state: dict[str, Any] = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "count": averages.count,
            "total": averages.total,
            "step": step,
            "random": torch.get_rng_state(),
        }
        run.save(state)

    sums: dict[str, Tensor] = {}
    while step < sizes.steps and not run.over:
        progress = run.progress(step, sizes.steps)
        rate = sizes.rate * min(1, (step + 1) / 50) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses, codes = _losses(model, acoustic, metric, averages, *data.draw())
        loss = (
            0.5 * losses["features"]
            + losses["prosody"]
            + 5 * losses["pitch"]
            + 2 * losses["hidden"]
            + 0.25 * losses["commitment"]
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        for name, value in losses.items():
            sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach()
        if step % LOG_EVERY == 0 or step == sizes.steps:
            count = (step - 1) % LOG_EVERY + 1
            means = {name: value.item() / count for name, value in sums.items()}
            run.log(step=step, rate=rate, bits=_bits(codes, sizes.codes), **means)
            sums = {}
        if run.due():
            save()
    save()


def _losses(
    model: CodecModel, acoustic: AcousticDecoder, metric: Tensor, averages: Averages, features: Tensor, mel: Tensor
) -> tuple[dict[str, Tensor], Tensor]:
    with autocast(mel.device.type):
        z = model.encoder(mel)
    z = z.float()
    batch, frames, dim = z.shape
    books = len(averages.codebooks)
    # Some do without the last codebooks, so that the first ones carry what matters most.
    used = torch.where(torch.rand(batch) < 0.4, torch.randint(1, books + 1, (batch,)), books).to(mel.device)
    flat = z.reshape(-1, dim)
    quantized, codes = averages.quantize(flat, used.repeat_interleave(frames), move=True)
    with autocast(mel.device.type):
        heard = model.decoder(quantized.view(batch, frames, dim)).float()
        with torch.no_grad():
            target = acoustic.hidden(features)
        hidden = acoustic.hidden(heard)
    error = (heard - features) / model.decoder.scale
    voiced = (features[..., PITCH] > VOICED).float()
    pitch = (heard[..., PITCH] - features[..., PITCH]).abs() * 5 * voiced
    losses = {
        "features": error[..., :PITCH].square().mean(),
        "prosody": error[..., PITCH:].abs().mean(),
        "pitch": pitch.sum() / voiced.sum().clamp_min(1),
        "hidden": ((hidden.float() - target.float()) @ metric).square().sum(-1).mean(),
        "commitment": F.mse_loss(flat, quantized.detach()),
    }
    return losses, codes


def _bits(codes: Tensor, size: int) -> float:
    """Entropy of a frame's codes, book by book."""
    total = 0.0
    for book in codes.unbind(-1):
        share = torch.bincount(book, minlength=size).float() / len(book)
        total += float(-(share * share.clamp_min(1e-12).log2()).sum())
    return total


def load_trained(folder: Path, recipe: CodecRecipe) -> CodecModel:
    """The codec as its last checkpoint has it. Raises SystemExit where there is none."""
    state = Run(folder, "codec").load()
    if state is None:
        raise SystemExit(f"there is no codec in {folder}: run the stage codec first")
    model = CodecModel(spectral_config(recipe))
    model.load_state_dict(state["model"])
    return model.eval()
