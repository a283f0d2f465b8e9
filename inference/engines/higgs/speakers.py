"""The speakers of a checkpoint: each voice's description in the prompt, its sample, and its rendering."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from inference.engines.protocol import VoiceReference
from inference.higgs.codec_stream import PLAIN, Rendering
from inference.higgs.config import ConfigError, read_json
from inference.higgs.prompt import PromptTurn
from inference.speech.voices import CATALOG


@dataclass(frozen=True, slots=True)
class Speaker:
    """One voice, as the model is given it."""

    description: str
    """A line of the prompt's scene."""
    sample: PromptTurn | None = None
    """A recorded text and its frames [F, N], which come before all other turns of the prompt. Where the text is
    "", because nobody knows the words, the frames stand in the scene in place of the description."""
    rendering: Rendering = PLAIN


NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The names that a voice sample's file may give its voice."""
RECORDED = Speaker("The voice of the recording, very clear audio")
"""A voice that is known by its recording or by its earlier turns alone."""
DESCRIBED: dict[str, Speaker] = {
    name: Speaker(f"{voice.profile}, very clear audio") for name, voice in CATALOG.items()
}
"""The platform's voices without samples, worded as the model's published voice profiles are."""


def recorded(reference: VoiceReference) -> Speaker:
    """The speaker of a recording that came with a request."""
    frames = torch.from_numpy(reference.codes.astype("int64"))
    return replace(RECORDED, sample=PromptTurn(reference.transcript, frames))


def speakers_of(checkpoint: Path) -> dict[str, Speaker]:
    """The speakers that the checkpoint's `voices.json` lists, by name: `description` and the codec's `rendering`.

    Without the file, the described ones. Raises ConfigError.
    """
    path = checkpoint / "voices.json"
    if not path.exists():
        return dict(DESCRIBED)
    speakers = {}
    for name, entry in read_json(path).items():
        try:
            rendering = Rendering(**{key: float(value) for key, value in entry.get("rendering", {}).items()})
            speakers[name] = Speaker(str(entry.get("description", "")), rendering=rendering)
        except (AttributeError, TypeError, ValueError) as error:
            raise ConfigError(f"voices.json: voice {name!r} is not as it must be: {error}") from error
        if not NAME.fullmatch(name) or min(rendering.pitch, rendering.formants) <= 0:
            raise ConfigError(f"voices.json: voice {name!r} has a name or a rendering that cannot be")
    if not speakers:
        raise ConfigError("voices.json has no voice")
    return speakers
