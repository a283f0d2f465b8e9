"""The judges of alignment: a recogniser for the words (Whisper tiny.en), DNSMOS for how it sounds.

DistillMOS and the other recogniser judge in `evaluate` alone: what is learned by pleasing these two shows there.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE
from inference.higgs.resample import resample
from inference.training.errors import count_errors
from inference.training.opinion import DnsMos
from inference.training.recognisers import RATE, tiny_en
from inference.training.verdict import Verdict

Floats = NDArray[np.float32]

PEAK = 0.5


class Judges:
    def __init__(self) -> None:
        self._recogniser, self._opinion = tiny_en(), DnsMos()

    def judge(self, text: str, audio: Floats) -> Verdict:
        """Judge how `text` is said in audio [samples] at 24 kHz."""
        heard = listen(audio)
        said, log_probability = self._recogniser.transcribe(heard)
        errors = count_errors(text, said)
        return Verdict(
            errors.words,
            errors.word_errors,
            errors.signs,
            errors.sign_errors,
            self._opinion.score(heard),
            log_probability,
        )


def listen(audio: Floats) -> Floats:
    """Audio at 24 kHz as the judges take it: at 16 kHz, brought to one loudness."""
    heard: Floats = resample(torch.from_numpy(audio), SAMPLE_RATE, RATE).numpy()
    loudest = float(np.abs(heard).max(initial=0.0))
    return (heard * (PEAK / loudest)).astype(np.float32) if loudest else heard
