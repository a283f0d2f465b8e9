"""The voices that pages offer."""

from __future__ import annotations

import redis
from django.conf import settings

from inference import presence

PATIENCE_SECONDS = 0.5


def on_offer() -> tuple[str, ...]:
    """Those of the workers that live; the standard ones where none does, or Redis is away."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as client:
            return presence.voices_of(presence.living(client))
    except redis.RedisError:
        return presence.voices_of(())
