"""When each word of a stored audio is spoken, kept beside it and gone with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile

from inference import assets
from inference.speech.alignment import Timed

NAME = "times"
"""Under which they are kept beside the audio."""


@dataclass(frozen=True, slots=True)
class StoredTimes:
    timestamps: str
    """Of each "word" or of each "sentence"."""
    alignment: str
    """exact or estimated."""
    times: tuple[Timed, ...]


def keep(job_id: UUID, times: StoredTimes, *, path: str) -> None:
    """Keep the times beside the audio that is stored under `path`. Raises OSError: the store refuses."""
    kept = {
        "timestamps": times.timestamps,
        "alignment": times.alignment,
        "times": [each.as_list() for each in times.times],
    }
    assets.keep_beside(job_id, path=path, name=NAME, file=ContentFile(json.dumps(kept).encode()))


def load(path: str) -> StoredTimes:
    """Read what `keep` kept. Raises FileNotFoundError: it is gone."""
    stored: dict[str, Any] = json.loads(assets.load(path))
    times = tuple(Timed(*each) for each in stored["times"])
    return StoredTimes(stored["timestamps"], stored["alignment"], times)
