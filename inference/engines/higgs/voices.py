"""Who speaks: what the model is told of each voice on offer, and, where there is one, how the voice sounds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference.higgs.prompt import Turn


@dataclass(frozen=True, slots=True)
class Voice:
    """A line for the scene, and a reference: a text and its frames [F, N], spoken before all else."""

    description: str
    reference: Turn | None = None


NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a recording may call its voice."""
RECORDED = Voice("The voice of the recording, very clear audio")
"""A voice of which nothing is known but its recording."""
DESCRIBED: dict[str, Voice] = {
    name: Voice(f"{description}, very clear audio")
    for name, description in {
        "alloy": "Feminine, American accent, moderate pitch, even and neutral tone",
        "ash": "Masculine, American accent, brisk speaking rate, clear tone",
        "ballad": "Masculine, British accent, slow speaking rate, soft and melodious tone",
        "cedar": "Masculine, American accent, low pitch, warm and steady tone",
        "coral": "Feminine, American accent, friendly and lively tone",
        "echo": "Masculine, American accent, slow speaking rate, measured tone",
        "fable": "Masculine, Scottish accent, expressive storyteller's tone",
        "marin": "Feminine, American accent, bright and careful tone",
        "nova": "Feminine, American accent, fast speaking rate, high-spirited tone",
        "onyx": "Masculine, American accent, very low pitch, deep and dark tone",
        "sage": "Feminine, British accent, low pitch, calm tone",
        "shimmer": "Feminine, American accent, high pitch, bright tone",
        "verse": "Masculine, American accent, fast speaking rate, eager and expressive tone",
    }.items()
}
"""The platform's voices (see inference.speech.voices) without references, in the published profiles' manner."""
