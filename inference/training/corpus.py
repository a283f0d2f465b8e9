"""The corpus: sentences that the teacher has read, in shards that are written whole or not at all.

A shard is `NNNNN.json` (its utterances), `NNNNN.mel.npy` and `NNNNN.features.npy` (float16, all utterances' frames
one after another). Audio is not kept: the mel spectrum is what the codec hears, the features what it must give.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.training.mel import log_mel
from inference.training.recipe import Recipe
from inference.training.run import Run
from inference.training.sentences import Sentence, read_sources, sentences
from inference.training.teacher import Teacher

FRAME_RATE = 80
LONGEST_SECONDS = 16


@dataclass(frozen=True, slots=True)
class CorpusUtterance:
    """One utterance; frames [start, start + frames) of its shard are its own."""

    text: str
    source: str
    held_out: bool
    phonemes: str
    durations: list[int]
    start: int
    frames: int


@dataclass(frozen=True, slots=True)
class Shard:
    name: str
    utterances: list[CorpusUtterance]
    mel: NDArray[np.float16]
    features: NDArray[np.float16]


def read(folder: Path, *, count: int | None = None) -> Iterator[Shard]:
    """The shards that are there, in order; their arrays stay on disk until they are looked at."""
    for path in sorted(folder.glob("[0-9]*.json"))[:count]:
        name = path.stem
        spoken = [CorpusUtterance(**entry) for entry in json.loads(path.read_text("utf-8"))]
        arrays: list[Any] = [np.load(folder / f"{name}.{kind}.npy", mmap_mode="r") for kind in ("mel", "features")]
        yield Shard(name, spoken, *arrays)


def held_out(folder: Path, count: int) -> list[CorpusUtterance]:
    """Return the first `count` utterances that nothing was trained on, or as many as there are."""
    found = (utterance for shard in read(folder) for utterance in shard.utterances if utterance.held_out)
    return list(itertools.islice(found, count))


def make(run: Run, recipe: Recipe, *, sources: Path | None) -> None:
    """Write shards until there are as many as the recipe asks for, or the time is up."""
    folder = run.folder / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "seed": run.seed,
        "teacher": "hibari-tts 0.2.1, voice heart, Apache-2.0",
        "sources": [asdict(source) for source in read_sources(sources)] if sources else [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    seconds = 0.0

    def written(number: int, frames: int) -> None:
        nonlocal seconds
        seconds += frames / FRAME_RATE
        run.log(step=number, hours=seconds / 3600, realtime=seconds / run.elapsed)

    Teacher(run.folder)  # makes the graph that every process reads
    missing = _missing(folder, recipe, sentences(sources, seed=run.seed, own_share=recipe.own_share))
    if not run.processes:
        for number, taken in missing:
            if run.over:
                return
            written(number, _write(folder, number, taken, run.folder))
        return
    with ProcessPoolExecutor(run.processes, mp_context=get_context("spawn")) as pool:
        running: dict[Future[int], int] = {}
        for number, taken in missing:
            if run.over:
                break
            running[pool.submit(_write, folder, number, taken, run.folder)] = number
            # No more than one waits for each process, so that the stage ends soon after it is told to.
            while len(running) >= 2 * run.processes:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    written(running.pop(future), future.result())
        for future in as_completed(running):
            written(running[future], future.result())


def _missing(folder: Path, recipe: Recipe, stream: Iterator[Sentence]) -> Iterator[tuple[int, list[Sentence]]]:
    for number in range(recipe.shards):
        taken = list(itertools.islice(stream, recipe.shard_sentences))
        if not (folder / f"{number:05}.json").exists():
            yield number, taken


@functools.cache
def _teacher(cache: Path) -> Teacher:
    """One a process."""
    return Teacher(cache)


def _write(folder: Path, shard: int, taken: list[Sentence], cache: Path) -> int:
    """Returns the shard's frames."""
    teacher, name = _teacher(cache), f"{shard:05}"
    spoken: list[CorpusUtterance] = []
    mels, features, start = [], [], 0
    for number, sentence in enumerate(taken):
        phonemes = teacher.phonemes(sentence.text)
        if not 6 <= len(phonemes) <= 258:
            continue
        utterance = teacher.say(phonemes, seed=shard * len(taken) + number)
        frames = len(utterance.features)
        if frames > LONGEST_SECONDS * FRAME_RATE:
            continue
        spoken.append(
            CorpusUtterance(
                sentence.text, sentence.source, sentence.held_out, phonemes, utterance.durations, start, frames
            )
        )
        start += frames
        mels.append(log_mel(utterance.audio, frames).astype(np.float16))
        features.append(utterance.features.astype(np.float16))
    np.save(folder / f"{name}.mel.npy", np.concatenate(mels))
    np.save(folder / f"{name}.features.npy", np.concatenate(features))
    # The list comes last, under its final name at once: a shard that has one is whole.
    partial = folder / f"{name}.partial"
    partial.write_text(json.dumps([asdict(utterance) for utterance in spoken], ensure_ascii=False), "utf-8")
    partial.rename(folder / f"{name}.json")
    return start
