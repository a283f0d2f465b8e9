"""The teacher, hibari-tts: what it says, with what only its network knows: durations and decoder input.

Both are inner values of its ONNX graph that are made outputs here. Apache-2.0; see NOTICE.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from hibari import Hibari, dsp
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FEATURES = 130
"""128 of the text, log f0 and energy, at 80 frames/s: what its acoustic decoder turns into spectra."""
DURATION_UNIT_SECONDS = 1 / 40
_DURATIONS, _FEATURES = "/Clip_output_0", "/Concat_43_output_0"
_SPECTRA = ("lh", "theta", "ln", "lr", "phi", "f0")


@dataclass(frozen=True, slots=True)
class Utterance:
    audio: Floats
    """[300 · frames], 24 kHz."""
    features: Floats
    """[frames, FEATURES]."""
    durations: list[int]
    """Of each phoneme and of the pauses before and after them, in units of 25 ms."""


class Teacher:
    def __init__(self, cache: Path) -> None:
        """Args: cache: where the graph with the further outputs is kept."""
        plain = Path(str(Hibari().model_path))
        extended = cache / "teacher.onnx"
        if not extended.exists():
            graph = onnx.load(str(plain))
            for name in (_DURATIONS, _FEATURES):
                graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
            cache.mkdir(parents=True, exist_ok=True)
            onnx.save(graph, str(extended))
        self._hibari = Hibari(model=str(extended))

    def phonemes(self, text: str) -> str:
        """One sentence in the teacher's alphabet."""
        return " ".join(self._hibari.phonemize(text))

    def say(self, phonemes: str, *, seed: int) -> Utterance:
        """Speak phonemes; the seed is that of the noise."""
        ids = np.asarray([self._hibari.ids(phonemes)], np.int64)
        inputs = {"ids": ids, "speed": np.ones(1, np.float32)}
        *spectra, durations, features = self._hibari.sess.run([*_SPECTRA, _DURATIONS, _FEATURES], inputs)
        audio = dsp.synth(*(part[0] for part in spectra), np.random.default_rng(seed))
        return Utterance(
            np.asarray(audio, np.float32),
            np.ascontiguousarray(np.asarray(features, np.float32).reshape(FEATURES, -1).T),
            [int(value) for value in np.asarray(durations).reshape(-1).round()],
        )
