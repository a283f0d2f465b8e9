"""The voices that pages offer, and the model that speaks them."""

from __future__ import annotations

from dataclasses import dataclass

import redis
from django.conf import settings

from inference import presence
from inference.speech import voices
from inference.speech.voices import Voice

PATIENCE_SECONDS = 0.5
PREVIEW = " (preview)"
"""How the name of a preview voice ends."""


@dataclass(frozen=True, slots=True)
class Offer:
    voices: tuple[Voice, ...]
    preview: str
    """The preview voice that speaks in place of the full model; empty where the full model does."""
    can_clone: bool
    """Whether organizations' own voices can speak."""


def offer() -> Offer:
    """What the live workers say; the standard voices where there are none, or Redis is away."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as client:
            workers = presence.living(client)
    except redis.RedisError:
        workers = []
    models = (worker["model"] for worker in workers)
    preview = next((model.removesuffix(PREVIEW) for model in models if model.endswith(PREVIEW)), "")
    offered = tuple(voices.find(name) for name in presence.voices_of(workers))
    return Offer(offered, preview, presence.can_clone(workers))
