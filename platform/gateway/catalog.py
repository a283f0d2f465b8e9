"""What is on offer: the models that have a voice behind them, and their other names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from accounts.identifiers import parse_prefixed
from gateway.errors import ApiError, invalid, not_found
from inference import custom_voices
from inference.speech.formats import FORMAT_NAMES, AudioFormat, UnsupportedOption


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    created: int
    owned_by: str

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "object": "model", "created": self.created, "owned_by": self.owned_by}


MODELS = {model.id: model for model in (Model("boson/higgs-audio-v2.5", 1_764_547_200, "boson"),)}


_DATED = re.compile(r"(?P<alias>.+?)(?:-\d{1,2}\.\d{1,2})?(?:-\d{4}(?:-\d{2}-\d{2})?)?")
"""How OpenAI names versions and snapshots: gpt-audio-1.5, tts-1-1106, gpt-4o-mini-tts-2025-12-15."""


def names() -> list[str]:
    """What a request may call a model; the dated names of the aliases come on top."""
    return [*MODELS, *settings.ENVIRONMENT.model_aliases]


def find(name: str, *, param: str | None = "model") -> Model:
    """The model of that name, or of which it is an alias (`MODEL_ALIASES`), with or without version and date.

    Raises:
        ApiError: 404, there is none.
    """
    aliases = settings.ENVIRONMENT.model_aliases
    dated = _DATED.fullmatch(name)
    model = MODELS.get(name) or MODELS.get(aliases.get(name) or (aliases.get(dated["alias"], "") if dated else ""))
    if model is None:
        raise unknown_model(name, param=param)
    return model


def unknown_model(name: str, *, param: str | None = "model") -> ApiError:
    return not_found(
        f"The model {name[:100]!r} does not exist. Models: {', '.join(MODELS)}.",
        code="model_not_found",
        param=param,
    )


def known_voice(name: str, offered: Sequence[str], param: str) -> str:
    """The voice of that name. One with an id of ours is somebody's own: `speech.own_voices` checks whose.

    Raises:
        ApiError: 400 for a voice that is not on offer.
    """
    if parse_prefixed(custom_voices.PREFIX, name) is not None:
        return name
    return _known("voice", name, offered, param)


class _AskedOptions(Protocol):
    """What beside its name a request may say of the audio's format."""

    @property
    def sample_rate(self) -> int | None: ...

    @property
    def bitrate(self) -> int | None: ...

    @property
    def container(self) -> str | None: ...

    @property
    def loudness(self) -> float | None: ...


def known_format(name: str, param: str, options: _AskedOptions) -> AudioFormat:
    """The format that a request asks for. `param` is where its name stands; its options stand beside that.

    Raises:
        ApiError: 400 for a format that is not on offer, or an option that it does not have.
    """
    name = _known("format", name, FORMAT_NAMES, param)
    try:
        return AudioFormat.chosen(
            name,
            sample_rate=options.sample_rate,
            bitrate=options.bitrate,
            container=options.container,
            loudness=options.loudness,
        )
    except UnsupportedOption as error:
        place, dot, _ = param.rpartition(".")
        raise invalid(
            f"Invalid value for '{place}{dot}{error.option}': {error}.",
            param=f"{place}{dot}{error.option}",
            code="unsupported_value",
        ) from None


def _known(kind: str, name: str, known: Sequence[str], param: str) -> str:
    if name not in known:
        raise invalid(
            f"Invalid {kind} {name[:100]!r}. Supported values: {', '.join(known)}.",
            param=param,
            code="unsupported_value",
        )
    return name
