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
from inference.engines.protocol import FRAME_RATE
from inference.training.saying import begin

STREAMS = (1, 8, 32)
SENTENCES = 4
"""That each listener hears, one after the other."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One sentence."""

    first: float
    """Seconds to the first audio."""
    chunks: list[tuple[float, int]]
    """When each came, and its frames."""


def measure(checkpoint: Path, sentences: list[str], voice: str) -> dict[str, dict[str, float]]:
    """Of each number of streams: median seconds to first audio, audio-seconds a second, most MiB resident.

    So many listeners ask for a sentence each, and for another as soon as they have heard it. Audio counts while
    all are there: until the first of them has heard its last one. Each number has a process of its own, so that
    its memory is the engine's alone.
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

    def listen(number: int) -> tuple[list[Heard], float]:
        mine = [sentences[(number + n * streams) % len(sentences)] for n in range(SENTENCES)]
        return [_hear(engine, text, voice, seed=number) for text in mine], time.perf_counter()

    try:
        with ThreadPoolExecutor(streams) as pool:
            began = time.perf_counter()
            listeners = list(pool.map(listen, range(streams)))
    finally:
        engine.close()
    end = min(left for _, left in listeners)
    heard = [one for all_of_one, _ in listeners for one in all_of_one]
    frames = sum(frames for one in heard for at, frames in one.chunks if at <= end)
    return {
        "first_audio_seconds": float(np.median([one.first for one in heard])),
        "audio_seconds_a_second": frames / FRAME_RATE / (end - began),
        "resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def _hear(engine: HiggsEngine, text: str, voice: str, *, seed: int) -> Heard:
    began = time.perf_counter()
    chunks = [(time.perf_counter(), chunk.frames) for chunk in begin(engine, text, voice, seed=seed)]
    return Heard(chunks[0][0] - began, chunks)
