"""Writes the trained voice as a checkpoint in the published layout, which the product's loader reads."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor

from inference.higgs.silence import EDGES_FIELD, SILENCE_FIELD
from inference.higgs.spectral_codec import MODEL_TYPE
from inference.training.codec import load_trained, spectral_config
from inference.training.network import Student
from inference.training.recipe import Recipe
from inference.training.run import Run
from inference.training.student import higgs_config, student_config, write_tokenizer
from inference.training.teacher_decoder import load_acoustic_decoder

Stage = Literal["larger", "distill", "diffro", "align"]
"""Those that train a language model."""
RENDERINGS: dict[str, dict[str, Any]] = {
    "alloy": {"pitch": 1.0, "gain": 0.44},
    "ash": {"pitch": 0.6, "formants": 0.86, "range": 1.05, "gain": 0.5},
    "ballad": {"pitch": 0.56, "formants": 0.85, "range": 0.9, "gain": 0.48},
    "cedar": {"pitch": 0.52, "formants": 0.83, "gain": 0.31},
    "coral": {"pitch": 1.08, "formants": 1.03, "range": 1.2, "gain": 0.45},
    "echo": {"pitch": 0.65, "formants": 0.88, "range": 0.8, "gain": 0.61},
    "fable": {"pitch": 0.62, "formants": 0.9, "range": 1.2, "gain": 0.38},
    "marin": {"pitch": 1.05, "formants": 1.0, "gain": 0.43},
    "nova": {"pitch": 1.12, "formants": 1.05, "range": 1.1, "gain": 0.4},
    "onyx": {"pitch": 0.48, "formants": 0.81, "range": 0.9, "gain": 0.25},
    "sage": {"pitch": 0.86, "formants": 0.96, "range": 0.9, "gain": 0.45},
    "shimmer": {"pitch": 1.18, "formants": 1.06, "gain": 0.4},
    "verse": {"pitch": 0.68, "formants": 0.87, "range": 1.15, "gain": 0.55},
}
"""How the codec renders the one trained voice as each voice of `inference.speech.voices`, all at -21 dB."""
TOP_P, TOP_K = 0.95, 50
GENERATION = {
    "temperature": 0.5,
    "top_p": TOP_P,
    "top_k": TOP_K,
    # Its codes may stand as long as a sound does: they are not drawn anew for it.
    "ras_win_len": None,
    "ras_win_max_num_repeat": None,
}
SILENT_EDGES = [6, 9]
"""Frames. The student's sentences, as its teacher's, begin with 0.27 s of silence at least and end with 0.42 s."""
NOTICE = """This checkpoint was made by `python -m inference.training` of this repository (Apache-2.0).

It learned to speak from hibari-tts 0.2.1, voice "heart", Copyright 2026 Maureese Williams, Apache-2.0: its
training audio and durations were synthesized by hibari. codec/model.safetensors holds hibari's acoustic decoder
(tensors acoustic.*), its int8 weights converted to float16. hibari was distilled from Kokoro-82M (hexgrad,
Apache-2.0).

Training text: example sentences of WordNet 3.0 (Copyright 2006 Princeton University, WordNet licence), Standard
Ebooks editions of books in the public domain in the United States (CC0-1.0), and sentences of our own.
"""


def write(run: Run, recipe: Recipe, out: Path, *, stage: Stage = "distill", whole: bool = False) -> None:
    """Write the checkpoint of the last steps that `stage` saved.

    Args: whole: let its sentences keep the silence around them, as what learns from them needs it.

    Raises:
        SystemExit: a stage is missing.
    """
    student = load_student(run, recipe, stage)
    codec = load_trained(run.folder, recipe.codec)
    config = spectral_config(recipe.codec)
    acoustic = {f"acoustic.{name}": value for name, value in load_acoustic_decoder(config).state_dict().items()}
    (out / "codec").mkdir(parents=True, exist_ok=True)
    save_weights(student, out)
    _save({**codec.state_dict(), **acoustic}, out / "codec" / "model.safetensors")
    network = student_config(_of(recipe, stage))
    edges = {EDGES_FIELD: SILENT_EDGES} if "alignment_window" in network and not whole else {}
    _write_json(out / "config.json", network)
    _write_json(out / "codec" / "config.json", {"model_type": MODEL_TYPE, **asdict(config)})
    _write_json(out / "generation_config.json", {**GENERATION, SILENCE_FIELD: codec.silence(), **edges})
    _write_json(out / "voices.json", {name: {"rendering": rendering} for name, rendering in RENDERINGS.items()})
    write_tokenizer(out / "tokenizer.json")
    (out / "NOTICE").write_text(NOTICE, "utf-8")
    run.log(megabytes=sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6)


def _of(recipe: Recipe, stage: Stage) -> Recipe:
    return replace(recipe, student=recipe.larger) if stage == "larger" else recipe


def load_student(run: Run, recipe: Recipe, stage: Stage) -> Student:
    """The student as `stage` last saved it. Raises SystemExit where it saved none."""
    state = Run(run.folder, stage).load()
    if state is None:
        raise SystemExit(f"there is no student in {run.folder}: run the stage {stage} first")
    student = Student(higgs_config(_of(recipe, stage)))
    student.load_state_dict(state["model"])
    return student


def save_weights(student: Student, out: Path) -> None:
    """Replace the language model's weights of a checkpoint."""
    _save(student.state_dict(), out / "model.safetensors")


def _save(state: dict[str, Tensor], path: Path) -> None:
    """Halves the size; float16 and not bfloat16, since the weights are small numbers that want digits."""
    save_file(
        {name: value.to(torch.float16).contiguous() for name, value in state.items()}, path, {"format": "pt"}
    )


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
