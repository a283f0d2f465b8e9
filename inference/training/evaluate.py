"""The table: how well the teacher, the codec and the voice itself say sentences that nothing was trained on.

Each system's errors come with a 95 % interval by bootstrap over sentences. A failure is a sentence of which more
than half of the words are wrong, or that did not end by itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE
from inference.engines.higgs.engine import CODEC_FOLDER, HiggsEngine, Options
from inference.engines.protocol import Segment, SpeechRequest
from inference.higgs.codecs import load_codec
from inference.higgs.config import load_config
from inference.speech.voices import DEFAULT_VOICE
from inference.training import corpus, speed, timing
from inference.training.codec import load_trained
from inference.training.corpus import CorpusUtterance
from inference.training.mel import BANDS, log_mel
from inference.training.recipe import Recipe
from inference.training.run import Run
from inference.training.teacher import Teacher
from inference.training.verdict import Verdict

Floats = NDArray[np.float32]

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Said:
    audio: Floats
    ended: bool
    seconds: float
    """That it took."""


Speaker = Callable[[CorpusUtterance], Said]


def held_out(folder: Path, count: int) -> list[CorpusUtterance]:
    found: Iterator[CorpusUtterance] = (u for shard in corpus.read(folder) for u in shard.utterances if u.held_out)
    return [utterance for utterance, _ in zip(found, range(count), strict=False)]


def evaluate(run: Run, recipe: Recipe, *, checkpoint: Path, sentences: int, voice: str = DEFAULT_VOICE) -> None:
    """Write `evaluation.json` and show its table. What is not there yet is left out.

    Raises:
        SystemExit: the corpus has no held-out sentence.
    """
    chosen = held_out(run.folder / "corpus", sentences)
    if not chosen:
        raise SystemExit("the corpus has no held-out sentence")
    from inference.training.judges import Judges  # an extra, which speaking does without

    judges = Judges()
    table: dict[str, dict[str, float]] = {}
    for name, speak in _systems(run, recipe, checkpoint, voice):
        verdicts, said = [], []
        for utterance in chosen:
            if run.over:
                break
            said.append(speak(utterance))
            verdicts.append(judges.judge(utterance.text, said[-1].audio))
        _note(run, table, name, _summary(verdicts, said))
    if (run.folder / "codec.pt").exists() and load_config(checkpoint).alignment_heads:
        encoder = load_trained(run.folder, recipe.codec)
        _note(run, table, "word times", timing.measure(checkpoint, encoder, Teacher(run.folder), chosen))
    for name, figures in speed.measure(checkpoint, [utterance.text for utterance in chosen], voice).items():
        _note(run, table, name, figures)


def _note(run: Run, table: dict[str, dict[str, float]], name: str, figures: dict[str, float]) -> None:
    table[name] = figures
    (run.folder / "evaluation.json").write_text(json.dumps(table, indent=1), "utf-8")
    run.log(**{f"{name}.{key}": value for key, value in figures.items()})


def _systems(run: Run, recipe: Recipe, checkpoint: Path, voice: str) -> Iterator[tuple[str, Speaker]]:
    teacher = Teacher(run.folder)

    def read(utterance: CorpusUtterance) -> Said:
        began = time.perf_counter()
        audio = teacher.say(utterance.phonemes, seed=0).audio
        return Said(audio, True, time.perf_counter() - began)

    yield "teacher", read
    if (run.folder / "codec.pt").exists():
        encoder = load_trained(run.folder, recipe.codec)
        decoder = load_codec(checkpoint / CODEC_FOLDER)

        def resynthesize(utterance: CorpusUtterance) -> Said:
            audio = teacher.say(utterance.phonemes, seed=0).audio
            began = time.perf_counter()
            mel = log_mel(audio)
            padded = np.concatenate([mel, np.repeat(mel[-1:], -len(mel) % 16, 0)])
            codes = encoder.encode(torch.from_numpy(padded.reshape(1, -1, BANDS)))
            again = decoder.decode(codes.transpose(1, 2))[0].numpy()
            return Said(again, True, time.perf_counter() - began)

        yield "codec", resynthesize
    engine = HiggsEngine(checkpoint, Options())
    try:
        yield "student", lambda utterance: say(engine, utterance.text, voice)
    finally:
        engine.close()


def say(engine: HiggsEngine, text: str, voice: str) -> Said:
    """Speak one sentence, as a customer would ask for it."""
    began = time.perf_counter()
    request = SpeechRequest(id=text, segments=(Segment(text, voice),), seed=0)
    generation = engine.submit(request)
    pieces = [chunk.pcm for chunk in generation]
    audio = np.concatenate([np.zeros(1, np.float32), *pieces])
    return Said(audio, generation.finish_reason == "stop", time.perf_counter() - began)


def _summary(verdicts: list[Verdict], said: list[Said]) -> dict[str, float]:
    if not verdicts:
        return {}
    counts = np.array([[v.words, v.word_errors, v.signs, v.sign_errors] for v in verdicts], float)
    random = np.random.default_rng(0)
    drawn = counts[random.integers(len(counts), size=(RESAMPLES, len(counts)))].sum(1)
    low, high = np.percentile(100 * drawn[:, 1] / drawn[:, 0], [2.5, 97.5])
    words, word_errors, signs, sign_errors = counts.sum(0)
    failed = [
        not spoken.ended or verdict.word_errors * 2 > verdict.words
        for verdict, spoken in zip(verdicts, said, strict=True)
    ]
    return {
        "sentences": float(len(verdicts)),
        "wer": 100 * word_errors / words,
        "wer_low": float(low),
        "wer_high": float(high),
        "cer": 100 * sign_errors / signs,
        "mos": float(np.mean([verdict.mos for verdict in verdicts])),
        "failures": float(sum(failed)),
        "real_time_factor": sum(s.seconds for s in said) / sum(len(s.audio) / SAMPLE_RATE for s in said),
    }
