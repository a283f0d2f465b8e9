"""An engine that costs nothing, so that what is left is the service around it."""

from __future__ import annotations

import numpy as np

from inference.engine.protocol import SAMPLES_PER_FRAME, Chunk, Generation, SpeechRequest
from inference.speech.voices import VOICES

FRAMES = 25


class NullEngine:
    """One second of silence at once."""

    model = "null"
    device = "cpu"
    slots = 64
    voices = VOICES
    healthy = True

    def submit(self, request: SpeechRequest) -> Generation:
        generation = Generation(request)
        generation.put(Chunk(np.zeros(FRAMES * SAMPLES_PER_FRAME, np.float32), FRAMES))
        generation.finish("stop")
        return generation

    def close(self) -> None:
        pass
