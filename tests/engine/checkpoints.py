"""Small random checkpoints that the engine can load, and what it says with them."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file

from inference.engines.higgs.engine import HiggsEngine
from inference.engines.protocol import Chunk, Codes, Generation, Segment, SpeechRequest
from tests.higgs.codec_oracle import make_codec
from tests.higgs.oracle import make_language_model, make_tokenizer

BOOKS, CODES, BOS, EOS = 8, 32, 32, 33
SAMPLING: dict[str, Any] = {"temperature": 1.0, "top_p": 0.95, "top_k": 5, "seed": 1}


def make_checkpoint(folder: Path, *, eos: float = 0.0) -> None:
    """Save a model, its tokenizer and its codec.

    Args:
        eos: the size of the head's rows for EOS beside other codes' rows. With 0, and without RAS then, a sentence
            does not end by itself where top_k is small.
    """
    make_language_model(folder, books=BOOKS)
    make_tokenizer(folder)
    make_codec(folder / "codec")
    weights = load_file(folder / "model.safetensors")
    weights["audio_lm_head.weight"].view(BOOKS, CODES + 2, -1)[:, EOS] *= eos
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    codec = load_file(folder / "codec" / "model.safetensors")
    codec["acoustic_decoder.conv2.weight"] *= 0.02  # to be heard without clipping
    save_file(codec, folder / "codec" / "model.safetensors", {"format": "pt"})
    (folder / "generation_config.json").write_text(
        json.dumps({"ras_win_len": 7 if eos else None, "ras_win_max_num_repeat": 2})
    )


def make_recording(folder: Path, voice: str) -> None:
    """Save a second of noise, and its words, as a voice sample."""
    noise = np.random.default_rng(0).integers(-9000, 9000, 24_000, dtype=np.int16)
    with wave.open(str(folder / f"{voice}.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    (folder / f"{voice}.txt").write_text("What the recording says.")


def request(*texts: str, voice: str = "alloy", id: str = "job", **options: Any) -> SpeechRequest:
    segments = tuple(Segment(text, voice) for text in texts)
    return SpeechRequest(id=id, segments=segments, **{**SAMPLING, **options})


def listen(generation: Generation) -> tuple[Codes, np.ndarray[Any, Any], list[Chunk]]:
    """All codes, marks included, and all samples of a generation that ends well."""
    chunks = list(generation)
    return codes_of(chunks), np.concatenate([np.empty(0, np.float32), *(chunk.pcm for chunk in chunks)]), chunks


def codes_of(chunks: list[Chunk]) -> Codes:
    empty = np.empty((0, BOOKS), np.int16)
    return np.concatenate([empty, *(chunk.codes for chunk in chunks if chunk.codes is not None)])


def frames_of(codes: Codes) -> Codes:
    """Without the marks."""
    return codes[~(codes == EOS).all(axis=1)]


def speak(engine: HiggsEngine, *texts: str, **options: Any) -> Codes:
    return listen(engine.submit(request(*texts, **options)))[0]
