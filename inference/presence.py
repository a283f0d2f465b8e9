"""Which workers live: a Redis key each, renewed by every heartbeat and gone soon after the last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import redis
import redis.asyncio

from inference.speech.voices import VOICES

TTL_MS = 5_000
PREFIX = "worker:"


def announce(client: redis.Redis, name: str, description: dict[str, Any]) -> None:
    client.set(PREFIX + name, json.dumps(description), px=TTL_MS)


def leave(client: redis.Redis, name: str) -> None:
    client.delete(PREFIX + name)


def living(client: redis.Redis) -> list[dict[str, Any]]:
    """What each live worker says of itself: name, model, device, slots, voices, clones, running, and its pace."""
    keys = list(client.scan_iter(match=f"{PREFIX}*", count=1000))
    values = client.mget(keys) if keys else []
    return [json.loads(value) for value in values if value]


async def workers(client: redis.asyncio.Redis) -> list[dict[str, Any]]:
    """What each live worker says of itself: name, model, device, slots, voices, clones, running."""
    keys = [key async for key in client.scan_iter(match=f"{PREFIX}*", count=1000)]
    values = await client.mget(keys) if keys else []
    return [json.loads(value) for value in values if value]


def voices_of(workers: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The voices that all of these workers have, for any of them may take a job; of none, the standard ones."""
    if not workers:
        return VOICES
    # One of an earlier version, while they are being replaced, does not say.
    first, *others = (worker.get("voices", VOICES) for worker in workers)
    return tuple(voice for voice in first if all(voice in other for other in others))


def can_clone(workers: Sequence[dict[str, Any]]) -> bool:
    """Whether all of these workers can speak like a recording, for any of them may take a job."""
    return bool(workers) and all(worker.get("clones", False) for worker in workers)
