"""The workers in service and the room for their streams, as Redis tells the gateway at most twice a second."""

from __future__ import annotations

import time

import redis
import redis.asyncio

from gateway.errors import no_room, unavailable
from inference import presence, redis_memory

BELIEVED_SECONDS = 0.5
FULL = 0.9
"""The share of Redis's memory above which no job is begun; the rest is for running jobs."""


class Workers:
    """What the live workers say of themselves; one for each process."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._seen_at = float("-inf")
        self._full = False
        self._voices = presence.voices_of(())
        self._can_clone = False

    async def voices(self) -> tuple[str, ...]:
        """Those on offer; while no worker lives, those of the last."""
        await self._look()
        return self._voices

    async def can_clone(self) -> bool:
        """Whether they can speak like a recording; while no worker lives, whether the last ones could."""
        await self._look()
        return self._can_clone

    async def require(self) -> None:
        """Refuse requests that no worker could take. Raises ApiError: 503 if no worker lives or Redis is full."""
        alive = await self._look()
        if self._full:
            raise no_room()
        if not alive:
            raise unavailable(
                "No worker is ready to speak right now. Please try again shortly.",
                code="no_worker",
                retry_after_seconds=2,
            )

    async def _look(self) -> bool:
        """Whether one lives; a worker that was seen is believed for half a second."""
        if time.monotonic() - self._seen_at < BELIEVED_SECONDS:
            return True
        try:
            self._full = await self._is_full()
            workers = await presence.workers(self._client)
        except redis.RedisError:
            return True  # nobody knows: a job waits for Redis to be back, at most until its deadline
        if workers:
            self._voices = presence.voices_of(workers)
            self._can_clone = presence.can_clone(workers)
            self._seen_at = time.monotonic()
        return bool(workers)

    async def _is_full(self) -> bool:
        return redis_memory.share(await self._client.info("memory")) > FULL
