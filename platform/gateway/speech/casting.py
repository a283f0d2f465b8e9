"""Who speaks as whom in a dialogue: the voice of each `[SPEAKERn]` of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.catalog import known_voice
from inference.speech.dialogue import speakers_of
from inference.speech.voices import Gender, cast_of

_GENDERS: dict[str, Gender] = {
    "feminine": "feminine",
    "female": "feminine",
    "masculine": "masculine",
    "male": "masculine",
}
"""What a scene's line may call a gender."""


def cast(
    text: str,
    *,
    scene: str,
    voice: str,
    voices: Mapping[str, str] | Sequence[str] | None,
    offered: Sequence[str],
    param: str,
) -> dict[str, str]:
    """A voice for each speaker of `text`; {} where nobody is tagged.

    In this order: what `voices` says; the scene's line "SPEAKER0: echo" or "SPEAKER0: feminine, calm"; `voice` for
    the first speaker; a voice of those `offered` that nobody has yet.

    Raises:
        ApiError: 400 for an unknown voice in `voices`, which the request calls `param`.
    """
    chosen = _named(voices or {}, offered, param)
    if not (speakers := speakers_of(text)):
        return {}
    described = _described(scene)
    taken = {chosen[speaker] for speaker in speakers if speaker in chosen}
    cast = {}
    for position, speaker in enumerate(speakers):
        preferred = _preferred(described.get(speaker, ""), offered) or ((voice,) if position == 0 else ())
        free = [each for each in (*preferred, *offered) if each not in taken]
        cast[speaker] = chosen.get(speaker) or (free or offered)[0]
        taken.add(cast[speaker])
    return cast


def _named(voices: Mapping[str, str] | Sequence[str], offered: Sequence[str], param: str) -> dict[str, str]:
    if not isinstance(voices, Mapping):
        voices = {f"SPEAKER{number}": voice for number, voice in enumerate(voices)}
    return {speaker: known_voice(voice, offered, f"{param}.{speaker}") for speaker, voice in voices.items()}


def _described(scene: str) -> dict[str, str]:
    """What the scene's lines say after the name of each speaker."""
    lines = (line.partition(":") for line in scene.splitlines())
    return {name.strip(): description for name, _, description in lines if description.strip()}


def _preferred(description: str, offered: Sequence[str]) -> tuple[str, ...]:
    """The voices that a scene's line asks for, by name or by gender."""
    words = re.findall(r"\w+", description.lower())
    if named := tuple(word for word in words if word in offered):
        return named
    gender = next((_GENDERS[word] for word in words if word in _GENDERS), None)
    return tuple(voice for voice in cast_of(gender) if voice in offered) if gender else ()
