"""The voices on offer. They have OpenAI's names, so that existing clients keep theirs.

This table is the only description of a voice. An engine adds the parameters that make it sound so, keyed by name:
`engines/preview/renderings.py` for the preview, `training/export.py` for the checkpoint that is trained here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Gender = Literal["feminine", "masculine"]


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice. `gender` and `description` are None for a voice that is known by its recording alone."""

    name: str
    gender: Gender | None = None
    description: str | None = None
    """Accent, pitch, pace and tone, as a prompt of the model words them."""
    cast_order: int | None = None
    """Its place among the voices of its gender that a dialogue is cast with; None is never cast unasked."""

    @property
    def profile(self) -> str:
        """What a reader is told: "Feminine, American accent, moderate pitch, even and neutral tone"."""
        return ", ".join(part for part in ((self.gender or "").capitalize(), self.description) if part)


CATALOG: dict[str, Voice] = {
    voice.name: voice
    for voice in (
        Voice("alloy", "feminine", "American accent, moderate pitch, even and neutral tone"),
        Voice("ash", "masculine", "American accent, brisk speaking rate, clear tone", 4),
        Voice("ballad", "masculine", "British accent, slow speaking rate, soft and melodious tone"),
        Voice("cedar", "masculine", "American accent, low pitch, warm and steady tone", 3),
        Voice("coral", "feminine", "American accent, friendly and lively tone", 2),
        Voice("echo", "masculine", "American accent, slow speaking rate, measured tone", 1),
        Voice("fable", "masculine", "Scottish accent, expressive storyteller's tone"),
        Voice("marin", "feminine", "American accent, bright and careful tone", 5),
        Voice("nova", "feminine", "American accent, fast speaking rate, high-spirited tone", 1),
        Voice("onyx", "masculine", "American accent, very low pitch, deep and dark tone", 2),
        Voice("sage", "feminine", "British accent, low pitch, calm tone", 4),
        Voice("shimmer", "feminine", "American accent, high pitch, bright tone", 3),
        Voice("verse", "masculine", "American accent, fast speaking rate, eager and expressive tone", 5),
    )
}
VOICES = tuple(CATALOG)
"""The names, in the order in which they are listed."""
DEFAULT_VOICE = "alloy"


def recorded_name(number: int) -> str:
    """What the voice of a request's recording is called while the request is spoken."""
    return f"recording_{number}"


def find(name: str) -> Voice:
    """The voice of that name; one that the catalog does not list has a name and nothing else."""
    return CATALOG.get(name) or Voice(name)


def cast_of(gender: Gender) -> tuple[str, ...]:
    """The names of the voices that a speaker of this gender is cast with, the preferred one first."""
    castable = [v for v in CATALOG.values() if v.gender == gender and v.cast_order is not None]
    return tuple(voice.name for voice in sorted(castable, key=lambda voice: voice.cast_order or 0))
