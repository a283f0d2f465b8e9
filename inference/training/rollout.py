"""Groups of answers, spoken by the product's own engine in one batch: what `align` learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.engines.higgs.engine import HiggsEngine
from inference.engines.protocol import Codes, Generation
from inference.higgs.config import HiggsConfig
from inference.higgs.delay import delay
from inference.higgs.prompt import PromptBuilder
from inference.speech.voices import DEFAULT_VOICE
from inference.training.corpus import CorpusUtterance
from inference.training.saying import begin
from inference.training.sequences import Example


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """One answer. `example` is what was read and drawn, as training data."""

    example: Example
    audio: NDArray[np.float32]
    ended: bool


def sample(
    engine: HiggsEngine,
    builder: PromptBuilder,
    config: HiggsConfig,
    prompts: Sequence[CorpusUtterance],
    *,
    answers: int,
    seed: int,
    temperature: float,
) -> list[list[SpokenAnswer]]:
    """Speak each prompt `answers` times, all at once; the same seed and weights give the same samples."""
    running = [
        [
            begin(
                engine,
                utterance.text,
                DEFAULT_VOICE,
                seed=seed * 1_000_003 + number * answers + n,
                temperature=temperature,
            )
            for n in range(answers)
        ]
        for number, utterance in enumerate(prompts)
    ]
    return [
        [_heard(generation, builder, config, utterance) for generation in group]
        for utterance, group in zip(prompts, running, strict=True)
    ]


def _heard(
    generation: Generation, builder: PromptBuilder, config: HiggsConfig, utterance: CorpusUtterance
) -> SpokenAnswer:
    pcm: list[NDArray[np.float32]] = [np.zeros(1, np.float32)]
    codes: list[Codes] = [np.empty((0, config.num_codebooks), np.int16)]
    for chunk in generation:
        pcm.append(chunk.pcm)
        if chunk.codes is not None:
            codes.append(chunk.codes)
    ended = generation.finish_reason == "stop"
    frames, whole = _frames(np.concatenate(codes), config)
    rows = delay(frames, config)
    if not (ended and whole):
        rows = rows[: len(frames) + 1]  # nothing is learned of an end that did not come
    tokens = builder.question(utterance.text).tokens
    nothing_known = torch.empty(0, dtype=torch.int64)
    return SpokenAnswer(Example(tokens, rows, nothing_known, utterance), np.concatenate(pcm), ended)


def _frames(codes: Codes, config: HiggsConfig) -> tuple[Tensor, bool]:
    """The frames [F, N] before the sentence's end, or before a stray stream code; whether there was none."""
    ends = np.flatnonzero((codes == config.eos_code).all(axis=1))
    frames = codes[: ends[0]] if len(ends) else codes
    stray = np.flatnonzero((frames >= config.bos_code).any(axis=1))
    cut = frames[: stray[0]] if len(stray) else frames
    return torch.from_numpy(cut.astype(np.int64)), not len(stray)
