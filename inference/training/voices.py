"""What each of a checkpoint's voices is worth, and whether a voice stays itself through a long text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE
from inference.engines.higgs.engine import HiggsEngine, Options
from inference.engines.protocol import Segment, SpeechRequest
from inference.speech.voices import DEFAULT_VOICE
from inference.training.corpus import held_out
from inference.training.judges import Judges
from inference.training.pitch import median_f0
from inference.training.run import Run
from inference.training.saying import say
from inference.training.verdict import Verdict

Floats = NDArray[np.float32]
Spoken = tuple[str, Floats]
"""A sentence and its audio."""

MINUTES = 5


def measure(run: Run, checkpoint: Path, *, sentences: int) -> None:
    """Write `voices.json`: of every voice, and of every minute of one long text, median f0, WER and opinion score.

    Raises:
        SystemExit: the corpus has no held-out sentence.
    """
    texts = [utterance.text for utterance in held_out(run.folder / "corpus", 10_000)]
    if not texts:
        raise SystemExit("the corpus has no held-out sentence")
    judges, engine = Judges(), HiggsEngine(checkpoint, Options())
    table: dict[str, dict[str, float]] = {}
    try:
        for name in engine.voices:
            spoken = [(text, say(engine, text, name).audio) for text in texts[:sentences]]
            _note(run, table, name, spoken, judges)
        for minute, spoken in enumerate(_minutes(_read(engine, texts)), 1):
            _note(run, table, f"minute {minute}", spoken, judges)
    finally:
        engine.close()


def _note(run: Run, table: dict[str, dict[str, float]], name: str, spoken: list[Spoken], judges: Judges) -> None:
    verdicts = [judges.judge(text, audio) for text, audio in spoken]
    table[name] = {"f0": median_f0(np.concatenate([audio for _, audio in spoken])), **_summary(verdicts)}
    (run.folder / "voices.json").write_text(json.dumps(table, indent=1), "utf-8")
    run.log(**{f"{name}.{key}": value for key, value in table[name].items()})


def _summary(verdicts: list[Verdict]) -> dict[str, float]:
    return {
        "sentences": float(len(verdicts)),
        "wer": 100 * sum(v.word_errors for v in verdicts) / sum(v.words for v in verdicts),
        "mos": float(np.mean([v.mos for v in verdicts])),
    }


def _read(engine: HiggsEngine, texts: list[str]) -> Iterable[Spoken]:
    """All of `texts` as one request, stopped once it is long enough: each sentence as it is finished."""
    segments = tuple(Segment(text, DEFAULT_VOICE) for text in texts)
    generation = engine.submit(SpeechRequest(id="long", segments=segments, seed=0, max_frames=MINUTES * 60 * 25))
    waiting, kept, offset = iter(texts), np.zeros(0, np.float32), 0
    for chunk in generation:
        kept = np.concatenate([kept, chunk.pcm])
        for end in chunk.sentence_ends:
            yield next(waiting), kept[: end - offset]
            kept, offset = kept[end - offset :], end


def _minutes(spoken: Iterable[Spoken]) -> Iterable[list[Spoken]]:
    """The sentences of each minute, by where they begin."""
    minute: list[Spoken] = []
    samples = 0
    for text, audio in spoken:
        if minute and samples // (60 * SAMPLE_RATE) != (samples + len(audio)) // (60 * SAMPLE_RATE):
            yield [*minute, (text, audio)]
            minute = []
        else:
            minute.append((text, audio))
        samples += len(audio)
    if minute:
        yield minute
