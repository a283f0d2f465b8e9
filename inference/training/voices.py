"""What each of a checkpoint's voices is worth, and whether a voice stays itself through a long text.

By the sentences and the judges of `evaluate`, so that nothing but the checkpoint is needed.
"""

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
from inference.training.hard_sentences import HardSentence, hard_sentences
from inference.training.panel import Panel
from inference.training.pitch import median_f0
from inference.training.run import Run
from inference.training.saying import say
from inference.training.summary import summarize

Floats = NDArray[np.float32]
Spoken = tuple[HardSentence, Floats]
"""A sentence and its audio."""

MINUTES = 5
KEPT = ("sentences", "wer", "mos", "overall")
"""Of a summary's figures."""


def measure(run: Run, checkpoint: Path, *, sentences: int) -> None:
    """Write `voices.json`: of every voice, and of every minute of one long text, median f0, WER and opinions."""
    panel, engine = Panel(run.folder), HiggsEngine(checkpoint, Options())
    table: dict[str, dict[str, float]] = {}
    try:
        for name in engine.voices:
            spoken = [(each, say(engine, each.text, name).audio) for each in hard_sentences(sentences)]
            _note(run, table, name, spoken, panel)
        for minute, spoken in enumerate(_minutes(_read(engine, hard_sentences(300))), 1):
            _note(run, table, f"minute {minute}", spoken, panel)
    finally:
        engine.close()


def _note(run: Run, table: dict[str, dict[str, float]], name: str, spoken: list[Spoken], panel: Panel) -> None:
    figures = summarize([panel.judge(sentence, audio, ended=True) for sentence, audio in spoken])
    f0 = median_f0(np.concatenate([audio for _, audio in spoken]))
    table[name] = {"f0": f0, **{key: figures[key] for key in KEPT}}
    (run.folder / "voices.json").write_text(json.dumps(table, indent=1), "utf-8")
    run.log(**{f"{name}.{key}": value for key, value in table[name].items()})


def _read(engine: HiggsEngine, sentences: list[HardSentence]) -> Iterable[Spoken]:
    """All of them as one request, stopped once it is long enough: each sentence as it is finished."""
    segments = tuple(Segment(sentence.text, DEFAULT_VOICE) for sentence in sentences)
    generation = engine.submit(SpeechRequest(id="long", segments=segments, seed=0, max_frames=MINUTES * 60 * 25))
    waiting, kept, offset = iter(sentences), np.zeros(0, np.float32), 0
    for chunk in generation:
        kept = np.concatenate([kept, chunk.pcm])
        for end in chunk.sentence_ends:
            yield next(waiting), kept[: end - offset]
            kept, offset = kept[end - offset :], end


def _minutes(spoken: Iterable[Spoken]) -> Iterable[list[Spoken]]:
    """The sentences of each minute, by where they begin."""
    minute: list[Spoken] = []
    samples = 0
    for sentence, audio in spoken:
        if minute and samples // (60 * SAMPLE_RATE) != (samples + len(audio)) // (60 * SAMPLE_RATE):
            yield [*minute, (sentence, audio)]
            minute = []
        else:
            minute.append((sentence, audio))
        samples += len(audio)
    if minute:
        yield minute
