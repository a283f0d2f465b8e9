"""How fast a checkpoint speaks on this machine: first audio and throughput with several streams at once."""

from __future__ import annotations

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.engines.higgs.engine import HiggsEngine, Options
from inference.engines.protocol import FRAME_RATE, Generation
from inference.training.saying import begin

STREAMS = (1, 8, 32)
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Heard:
    first: float
    """Seconds to the first audio."""
    frames: int


def measure(checkpoint: Path, sentences: list[str], voice: str) -> dict[str, dict[str, float]]:
    """Of each number of streams: median seconds to first audio, audio-seconds a second, most MiB resident.

    Every stream speaks one of `sentences`; each round begins when the one before has ended. Each number has a
    process of its own, so that its memory is the engine's alone.
    """
    figures = {}
    for streams in STREAMS:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            figures[f"{streams} streams"] = process.submit(
                _measure, checkpoint, sentences, voice, streams
            ).result()
    return figures


def _measure(checkpoint: Path, sentences: list[str], voice: str, streams: int) -> dict[str, float]:
    engine = HiggsEngine(checkpoint, Options(slots=streams))
    try:
        with ThreadPoolExecutor(streams) as pool:
            heard: list[Heard] = []
            seconds = 0.0
            for number in range(ROUNDS):
                began = time.perf_counter()
                texts = [sentences[(number * streams + n) % len(sentences)] for n in range(streams)]
                running = [begin(engine, text, voice, seed=seed) for seed, text in enumerate(texts)]
                heard += pool.map(lambda generation, began=began: _hear(generation, began), running)
                seconds += time.perf_counter() - began
    finally:
        engine.close()
    return {
        "first_audio_seconds": float(np.median([one.first for one in heard])),
        "audio_seconds_a_second": sum(one.frames for one in heard) / FRAME_RATE / seconds,
        "resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def _hear(generation: Generation, began: float) -> Heard:
    first, frames = 0.0, 0
    for chunk in generation:
        first = first or time.perf_counter() - began
        frames += chunk.frames
    return Heard(first, frames)
