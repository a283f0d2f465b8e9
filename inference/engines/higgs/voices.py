"""Who speaks: what the model is told of each voice on offer, and, where there is one, how the voice sounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from inference.higgs.codec_stream import PLAIN, Rendering
from inference.higgs.config import ConfigError, read_json
from inference.higgs.prompt import PromptTurn


@dataclass(frozen=True, slots=True)
class Voice:
    """A line for the scene, a reference (a text and its frames [F, N], spoken before all else), and what the
    codec makes of the codes."""

    description: str
    reference: PromptTurn | None = None
    rendering: Rendering = PLAIN


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


def voices_of(checkpoint: Path) -> dict[str, Voice]:
    """What the checkpoint's `voices.json` has, by name: `description` and, for the codec, `rendering`.

    Without the file, the described ones. Raises ConfigError.
    """
    path = checkpoint / "voices.json"
    if not path.exists():
        return dict(DESCRIBED)
    voices = {}
    for name, entry in read_json(path).items():
        try:
            rendering = Rendering(**{key: float(value) for key, value in entry.get("rendering", {}).items()})
            voices[name] = Voice(str(entry.get("description", "")), rendering=rendering)
        except (AttributeError, TypeError, ValueError) as error:
            raise ConfigError(f"voices.json: voice {name!r} is not as it must be: {error}") from error
        if not NAME.fullmatch(name) or min(rendering.pitch, rendering.formants) <= 0:
            raise ConfigError(f"voices.json: voice {name!r} has a name or a rendering that cannot be")
    if not voices:
        raise ConfigError("voices.json has no voice")
    return voices
