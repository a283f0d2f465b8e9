"""What a job is to speak and how: the fields that pass from a request's order to the job's row unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSpec:
    """A field here is one of the gateway's order and of the new job, and is inserted into the column of its name.

    A further one is a line here, a column of `inference.models.SynthesisJob`, and what sets and uses it.
    """

    model: str
    voice: str
    format: str
    text: str
    style: str
    max_frames: int
    """What the audio may become at the longest."""
    sampling: dict[str, float | int] = field(default_factory=dict)
    """temperature, top_p, top_k, seed; whatever of them the request named."""
    voices: dict[str, str] = field(default_factory=dict)
    """Of a dialogue: the voice of each speaker, by tag."""
    speed: float = 1.0
    """How many times as fast as the engine speaks."""
    recordings: list[bytes] = field(default_factory=list)
    """FLAC files: number n is how the voice `speech.voices.recorded_name(n)` sounds."""
    recorded_texts: list[str] = field(default_factory=list)
    """What is said in each; "" where nobody tells."""
    timestamps: str = ""
    """"word" or "sentence" where it is to be told when each is spoken."""
    service_tier: str = "default"
    """How much of the workers it may claim; see `inference.jobs.claiming`."""
    pronunciation: UUID | None = None
    """The version of a pronunciation dictionary that says how names are said."""

    def spec(self) -> dict[str, Any]:
        """These fields, by their names."""
        return {each.name: getattr(self, each.name) for each in fields(SpeechSpec)}
