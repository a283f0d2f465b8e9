"""The voices that pages offer, and the model that speaks them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import redis
from django.conf import settings

from inference import presence
from inference.speech import voices
from inference.speech.voices import Voice

PATIENCE_SECONDS = 0.5
SMALL = ("heart-8m", "hibari-0.2.1-heart")
"""Ours and the preview, which speak in place of the full model. `static/console/samples` has their voices."""


@dataclass(frozen=True, slots=True)
class Offer:
    voices: tuple[Voice, ...]
    small: str
    """Which of the small models speaks in place of the full one; empty where that speaks."""
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
    names = [re.split("[@ ]", worker["model"])[0] for worker in workers]  # without revision and "(preview)"
    small = next((name for name in names if name in SMALL), "")
    offered = tuple(voices.find(name) for name in presence.voices_of(workers))
    return Offer(offered, small, presence.can_clone(workers))
