"""How full Redis is, and how many entries a stream may therefore keep.

A stream keeps what was spoken for listeners who come late and for another attempt that goes on from it. Audio that
was spoken in full is in the store, so old entries are the first to go when Redis has little room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

MAX_ENTRIES = 4096
"""About 27 minutes of audio at the usual chunk; what a slow reader loses is still in the stored audio."""
KEPT_WHEN_SHORT = 8
"""Entries of a stream while Redis is more than half full: some seconds, for listeners who are a little behind."""
KEPT_WHEN_FULL = 2
SHORT, NEARLY_FULL = 0.5, 0.75
"""Shares of the memory that Redis may take."""


def share(info: Mapping[str, Any]) -> float:
    """The share of its memory that Redis has taken, of its `INFO memory`; 0 where it may take all there is."""
    most = info.get("maxmemory", 0)
    return float(info["used_memory"] / most) if most else 0.0


class Room:
    """What Redis has room for, as this process last looked."""

    def __init__(self) -> None:
        self._share = 0.0

    def look(self, client: redis.Redis) -> None:
        """Ask Redis. Raises redis.RedisError: it is away."""
        info: Any = client.info("memory")
        self._share = share(info)

    @property
    def entries(self) -> int:
        """How many entries a stream may keep."""
        if self._share < SHORT:
            return MAX_ENTRIES
        return KEPT_WHEN_SHORT if self._share < NEARLY_FULL else KEPT_WHEN_FULL
