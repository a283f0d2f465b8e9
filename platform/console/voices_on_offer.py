"""The voices that the pages offer, as the live workers announce them."""

from __future__ import annotations

import redis
from django.conf import settings

from inference import presence
from inference.speech import voices
from inference.speech.voices import Voice

PATIENCE_SECONDS = 0.5


def find() -> list[Voice]:
    """The voices of the live workers; the standard ones where no worker lives, or Redis is away."""
    return [voices.find(name) for name in _names()]


def _names() -> tuple[str, ...]:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as client:
            return presence.voices_of(presence.living(client))
    except redis.RedisError:
        return presence.voices_of(())
