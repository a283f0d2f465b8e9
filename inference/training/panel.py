"""The judges of `evaluate`: two recognisers and two opinions on every utterance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE
from inference.training.hard_sentences import HardSentence
from inference.training.judges import listen
from inference.training.opinion import DistillMos, DnsMos
from inference.training.recognisers import base, tiny_en
from inference.training.summary import Judged


class Panel:
    """Args: cache: where a recogniser's weights are put together."""

    def __init__(self, cache: Path) -> None:
        self._recognisers = {"tiny.en": tiny_en(), "base": base(cache)}
        self._opinion, self._noise = DistillMos(), DnsMos()

    def judge(self, sentence: HardSentence, audio: NDArray[np.float32], *, ended: bool) -> Judged:
        heard = listen(audio)
        return Judged(
            kind=sentence.kind,
            text=sentence.text,
            heard={name: each.transcribe(heard)[0] for name, each in self._recognisers.items()},
            mos=self._opinion.score(heard),
            overall=self._noise.score(heard),
            ended=ended,
            length=len(audio) / SAMPLE_RATE,
        )
