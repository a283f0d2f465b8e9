"""The table: how well the teacher, the codec and checkpoints say sentences of kinds that nothing was trained on.

Two recognisers hear each utterance and two networks give their opinion. What they said is kept in
`evaluation/SYSTEM.jsonl`, a line for each sentence, so that a run that is stopped goes on where it was, and each
checkpoint that is evaluated adds its row to `evaluation.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.engines.higgs.engine import CODEC_FOLDER, HiggsEngine, Options
from inference.higgs.codecs import load_codec
from inference.higgs.config import load_config
from inference.higgs.linear import Precision
from inference.speech.voices import DEFAULT_VOICE
from inference.training import speed, timing
from inference.training.codec import CodecModel, load_trained
from inference.training.hard_sentences import HardSentence, hard_sentences
from inference.training.mel import BANDS, log_mel
from inference.training.recipe import Recipe
from inference.training.run import Run
from inference.training.saying import Said, begin, hear
from inference.training.summary import Judged, summarize
from inference.training.teacher import Teacher

Floats = NDArray[np.float32]

TOGETHER = 16
"""Sentences that the engine speaks at once."""


Speaker = Callable[[Sequence[HardSentence]], Iterable[Said]]
"""Speak sentences, in order."""


def evaluate(
    run: Run,
    recipe: Recipe,
    *,
    checkpoint: Path,
    sentences: int,
    dtype: Precision = "auto",
    measure_speed: bool = True,
) -> None:
    """Add the checkpoint, its codec and the teacher to `evaluation.json`, as far as they are not there yet.

    Args:
        dtype: of the engine's matrices; see `engine.Options`.
        measure_speed: also measure the words' times and how fast the engine is, which asks for a quiet machine.
    """
    chosen = hard_sentences(sentences)
    teacher = Teacher(run.folder)
    judged: dict[str, list[Judged]] = {}
    for name, speak in _systems(run, recipe, checkpoint, teacher, dtype):
        judged[name] = _judge(run, name, speak, chosen)
        figures = summarize(judged[name], against=judged["teacher"])
        _note(run, name, figures)
    if not measure_speed or run.over:
        return
    if (run.folder / "codec.pt").exists() and load_config(checkpoint).alignment_heads:
        encoder = load_trained(run.folder, recipe.codec)
        phonemes = [teacher.phonemes(sentence.text) for sentence in chosen]
        _note(run, "word times", timing.measure(checkpoint, encoder, teacher, phonemes))
    for name, figures in speed.measure(checkpoint, [sentence.text for sentence in chosen], DEFAULT_VOICE).items():
        _note(run, name, figures)


def _judge(run: Run, name: str, speak: Speaker, chosen: Sequence[HardSentence]) -> list[Judged]:
    """What the judges say of each sentence, from the system's file or, where it has none, anew."""
    path = run.folder / "evaluation" / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    known = {line.text: line for line in (Judged(**json.loads(each)) for each in lines)}
    missing = [sentence for sentence in chosen if sentence.text not in known]
    if missing and not run.over:
        from inference.training.panel import Panel  # an extra, which speaking does without

        panel = Panel(run.folder)
        with path.open("a", encoding="utf-8") as file:
            for sentence, said in zip(missing, speak(missing), strict=False):
                line = panel.judge(sentence, said.audio, ended=said.ended)
                known[sentence.text] = line
                file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
                file.flush()
                if run.over:
                    break
    return [known[sentence.text] for sentence in chosen if sentence.text in known]


def _note(run: Run, name: str, figures: dict[str, float]) -> None:
    path = run.folder / "evaluation.json"
    table = json.loads(path.read_text("utf-8")) if path.exists() else {}
    table[name] = figures
    path.write_text(json.dumps(table, indent=1), "utf-8")
    run.log(**{f"{name}.{key}": value for key, value in figures.items()})


def _systems(
    run: Run, recipe: Recipe, checkpoint: Path, teacher: Teacher, dtype: Precision
) -> Iterator[tuple[str, Speaker]]:
    yield "teacher", lambda sentences: (_taught(teacher, sentence) for sentence in sentences)
    if (run.folder / "codec.pt").exists():
        encoder = load_trained(run.folder, recipe.codec)
        weights = (checkpoint / CODEC_FOLDER / "model.safetensors").read_bytes()
        name = f"codec@{hashlib.sha256(weights).hexdigest()[:12]}"
        yield name, lambda sentences: _resynthesized(teacher, encoder, checkpoint, sentences)
    engine = HiggsEngine(checkpoint, Options(slots=TOGETHER, dtype=dtype))
    try:
        name = engine.model if dtype == "auto" else f"{engine.model} {dtype}"
        yield name, lambda sentences: _spoken(engine, sentences)
    finally:
        engine.close()


def _taught(teacher: Teacher, sentence: HardSentence) -> Said:
    return Said(teacher.say(teacher.phonemes(sentence.text), seed=0).audio, True)


def _resynthesized(
    teacher: Teacher, encoder: CodecModel, checkpoint: Path, sentences: Sequence[HardSentence]
) -> Iterator[Said]:
    decoder = load_codec(checkpoint / CODEC_FOLDER)
    for sentence in sentences:
        mel = log_mel(_taught(teacher, sentence).audio)
        padded = np.concatenate([mel, np.repeat(mel[-1:], -len(mel) % 16, 0)])
        codes = encoder.encode(torch.from_numpy(padded.reshape(1, -1, BANDS)))
        yield Said(decoder.decode(codes.transpose(1, 2))[0].numpy(), True)


def _spoken(engine: HiggsEngine, sentences: Sequence[HardSentence]) -> Iterator[Said]:
    """As a customer would ask for them, several at once."""
    for first in range(0, len(sentences), TOGETHER):
        batch = sentences[first : first + TOGETHER]
        running = [begin(engine, sentence.text, DEFAULT_VOICE) for sentence in batch]
        yield from [hear(generation) for generation in running]
