"""What the student learns from: each utterance's prompt and codes, and batches of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.higgs.config import HiggsConfig
from inference.higgs.delay import delay
from inference.higgs.phonemes import PhonemePromptBuilder
from inference.training import corpus
from inference.training.codec import CodecModel
from inference.training.corpus import CorpusUtterance, Shard
from inference.training.mel import BANDS
from inference.training.network import Batch
from inference.training.run import Run

ROUNDING = 16
"""Fine frames in a whole number of the codec's frames."""
GROUP, STRIDE = 64, 160
"""Utterances encoded at once; fine frames that their length is a multiple of, so that few lengths occur."""
FRAMES = 25
DURATIONS = 40
"""Per second: codes; units of the teacher's durations."""


@dataclass(frozen=True, slots=True)
class Example:
    tokens: Tensor  # [P] int64, the prompt
    rows: Tensor  # [F + N + 1, N] int64, delayed
    spoken: Tensor  # [F] int64, position in the prompt of what each frame says
    utterance: CorpusUtterance

    @property
    def length(self) -> int:
        return len(self.tokens) + len(self.rows) - 1


def encode(run: Run, codec: CodecModel, folder: Path) -> None:
    """Write every shard's codes beside it as `NNNNN.codes.npy`, all utterances' frames one after another."""
    for shard in corpus.read(folder):
        path = folder / f"{shard.name}.codes.npy"
        if path.exists():
            continue
        if run.over:
            return
        partial = folder / f"{shard.name}.codes.partial"
        with partial.open("wb") as file:
            np.save(file, np.concatenate(_encode_shard(shard, codec.to(run.device), run.device)))
        partial.rename(path)
        run.log(encoded=float(shard.name))


def _frames(utterance: CorpusUtterance) -> int:
    """Code frames of an utterance: those whose time has begun before it ends."""
    return -(-utterance.frames * 5 // ROUNDING)


def _encode_shard(shard: Shard, codec: CodecModel, device: str) -> list[NDArray[np.uint8]]:
    order = sorted(range(len(shard.utterances)), key=lambda n: shard.utterances[n].frames)
    codes: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)] * len(order)
    for begin in range(0, len(order), GROUP):
        group = order[begin : begin + GROUP]
        longest = max(shard.utterances[n].frames for n in group)
        mels = np.zeros((len(group), (longest // STRIDE + 1) * STRIDE, BANDS), np.float16)
        for row, number in enumerate(group):
            utterance = shard.utterances[number]
            mel = shard.mel[utterance.start : utterance.start + utterance.frames]
            mels[row, : len(mel)], mels[row, len(mel) :] = mel, mel[-1]
        encoded = codec.encode(torch.from_numpy(mels).to(device).float()).cpu().numpy().astype(np.uint8)
        for row, number in enumerate(group):
            codes[number] = encoded[row, : _frames(shard.utterances[number])]
    return codes


def read(folder: Path, builder: PhonemePromptBuilder, config: HiggsConfig) -> Iterator[Example]:
    """All utterances of the shards that are encoded."""
    for shard in corpus.read(folder):
        path = folder / f"{shard.name}.codes.npy"
        if not path.exists():
            continue
        codes, start = torch.from_numpy(np.load(path).astype(np.int64)), 0
        for utterance in shard.utterances:
            frames = codes[start : start + _frames(utterance)]
            start += len(frames)
            tokens = builder.spell(utterance.phonemes).tokens
            ends = np.cumsum(utterance.durations) / DURATIONS
            middles = (np.arange(len(frames)) + 0.5) / FRAMES
            # The pauses before and after the phonemes are said by the tokens that begin and end the prompt.
            spoken = np.minimum(np.searchsorted(ends, middles, side="right"), len(ends) - 1)
            if len(utterance.durations) == len(tokens) - 1:
                yield Example(tokens, delay(frames, config), torch.from_numpy(spoken), utterance)


def collate(
    sequences: Sequence[Example],
    config: HiggsConfig,
    *,
    noise: float = 0.0,
    seeds: Sequence[int] = (),
) -> Batch:
    """One batch; with `noise`, that share of the codes that are fed is replaced by others.

    Args:
        seeds: of each sequence's noise, so that it does not depend on what else is in the batch.
    """
    length = max(sequence.length for sequence in sequences)
    text, audio, tokens, fed, targets, spoken, prompts = [], [], [], [], [], [], []
    for row, sequence in enumerate(sequences):
        prompt, rows = len(sequence.tokens), len(sequence.rows) - 1
        text.append(row * length + torch.arange(prompt))
        audio.append(row * length + prompt + torch.arange(rows))
        tokens.append(sequence.tokens)
        fed.append(_disturbed(sequence.rows[:-1], config, noise, seeds[row]) if noise else sequence.rows[:-1])
        targets.append(sequence.rows[1:])
        said = torch.full((rows,), -1)
        said[: len(sequence.spoken)] = sequence.spoken
        spoken.append(said)
        prompts.append(torch.full((rows,), prompt - 1))  # all but the token that begins the audio
    codes, target = torch.cat(fed), torch.cat(targets)
    # Nothing is learned from what is forced: BOS, and EOS after the first. (Noise never falls on EOS.)
    counted = (target != config.bos_code) & ~((target == config.eos_code) & (codes == config.eos_code))
    return Batch(
        rows=len(sequences),
        length=length,
        text_places=torch.cat(text),
        tokens=torch.cat(tokens),
        audio_places=torch.cat(audio),
        codes=codes,
        targets=target,
        counted=counted,
        spoken=torch.cat(spoken),
        prompts=torch.cat(prompts),
    )


def _disturbed(codes: Tensor, config: HiggsConfig, noise: float, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    wrong = (torch.rand(codes.shape, generator=random) < noise) & (codes < config.bos_code)
    return torch.where(wrong, torch.randint(0, config.bos_code, codes.shape, generator=random), codes)


def epochs(lengths: Sequence[int], size: int, seed: int) -> Iterator[list[int]]:
    """The `batches` of one epoch after another, without end."""
    for epoch in itertools.count():
        yield from batches(lengths, size, seed + epoch)


def batches(lengths: Sequence[int], size: int, seed: int) -> Iterator[list[int]]:
    """One epoch: every sequence once, those of similar length together, up to `size` positions in a batch."""
    random = np.random.default_rng(seed)
    order = np.argsort(np.asarray(lengths) + random.uniform(0, 12, len(lengths)))
    groups: list[list[int]] = []
    current: list[int] = []
    for number in order.tolist():
        # They grow: the last one is the longest.
        if current and lengths[number] * (len(current) + 1) > size:
            groups.append(current)
            current = []
        current.append(number)
    groups.append(current)
    for group in random.permutation(len(groups)).tolist():
        yield groups[group]
