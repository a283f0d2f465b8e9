"""Telling the workers at once that a job is cancelled, by Redis' publish and subscribe.

The database is the truth: a message that is lost costs what is spoken until the next heartbeat.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings

log = logging.getLogger(__name__)

CHANNEL = "jobs:cancelled"
POLL_SECONDS = 0.5
"""How long a listener that is to stop may take to notice."""
RETRY_SECONDS = 1.0


async def announce(client: redis.asyncio.Redis, job_id: UUID) -> None:
    """Say that the job was cancelled, to whichever worker speaks it."""
    with _may_fail(job_id):
        await client.publish(CHANNEL, job_id.hex)


def announce_from_thread(client: redis.Redis, job_id: UUID) -> None:
    """The same, where no event loop runs."""
    with _may_fail(job_id):
        client.publish(CHANNEL, job_id.hex)


def announce_once(job_id: UUID) -> None:
    """The same, on a connection of its own."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        announce_from_thread(client, job_id)


@contextlib.contextmanager
def _may_fail(job_id: UUID) -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        log.warning("job %s: its cancelling waits for a heartbeat: %s", job_id, type(error).__name__)


class Listener:
    """A thread that calls `cancel` with each job that is announced."""

    def __init__(self, client: redis.Redis, cancel: Callable[[UUID], None]) -> None:
        self._client = client
        self._cancel = cancel
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cancellations", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._listen()
            except Exception as error:  # Redis is away, or somebody else publishes on the channel
                log.warning("cancellations wait for heartbeats: %s", type(error).__name__)
                self._closing.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        pubsub: Any = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        with contextlib.closing(pubsub) as subscription:
            subscription.subscribe(CHANNEL)
            while not self._closing.is_set():
                message = subscription.get_message(timeout=POLL_SECONDS)
                if message is not None:
                    self._cancel(UUID(bytes=bytes.fromhex(message["data"].decode())))
