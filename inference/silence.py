"""What is heard of a text without a word, such as "." or an emoji: a short silence, billed as such.

Clients that cut a reply at its punctuation send such pieces, and a client that checks its settings sends ".". To
refuse them ends a phone call, or the rest of the reply.
"""

from __future__ import annotations

import numpy as np

from inference.engines.protocol import SAMPLES_PER_FRAME, Chunk, Generation, SpeechRequest

FRAMES = 2
"""80 ms: enough for every container and decoder, and too short to be heard as a pause."""
CHUNK = Chunk(np.zeros(FRAMES * SAMPLES_PER_FRAME, np.float32), FRAMES)


def answer(request: SpeechRequest) -> Generation:
    """The silence as an engine's answer, which needs no engine."""
    generation = Generation(request)
    generation.put(CHUNK)
    generation.finish("stop")
    return generation
