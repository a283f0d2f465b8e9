"""Letting an engine say one sentence, as a customer would ask for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.engines.higgs.engine import HiggsEngine
from inference.engines.protocol import Generation, Segment, SpeechRequest


@dataclass(frozen=True, slots=True)
class Said:
    audio: NDArray[np.float32]
    ended: bool


def say(engine: HiggsEngine, text: str, voice: str) -> Said:
    """Speak one sentence and wait for its end."""
    return hear(begin(engine, text, voice))


def begin(
    engine: HiggsEngine, text: str, voice: str, *, seed: int = 0, temperature: float | None = None
) -> Generation:
    """Ask for one sentence. Args: temperature: None is the checkpoint's."""
    segments = (Segment(text, voice),)
    return engine.submit(SpeechRequest(id=f"{seed}", segments=segments, seed=seed, temperature=temperature))


def hear(generation: Generation) -> Said:
    """Wait for all of its audio."""
    audio = np.concatenate([np.zeros(1, np.float32), *(chunk.pcm for chunk in generation)])
    return Said(audio, generation.finish_reason == "stop")
