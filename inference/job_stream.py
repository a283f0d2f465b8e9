"""One listener's place in the stream of one job: what waits to be taken, and from where to read on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from uuid import UUID

import redis

from inference import channel
from inference.channel import Event

MOST_WAITING = 4
MOST_WAITING_BYTES = 65_536
"""A listener for whom so much waits gets no more until it has taken some: a slow client costs this much memory,
and the entries of one answer."""

Position = tuple[int, int]
"""An entry's id: its millisecond, and its number within it."""
Entry = tuple[Position, dict[bytes, bytes]]


class JobStream:
    """One listener's place in the stream of one job.

    Args:
        look_again: is told once it wants more that had enough.
    """

    def __init__(self, job_id: UUID, look_again: Callable[[JobStream], None]) -> None:
        self.key = channel.key(job_id).encode()
        self.position: Position = (0, 0)
        self.flows = False
        """Whether its first audio is here."""
        self.entry_bytes = 0
        """Of its largest entry so far."""
        self._look_again = look_again
        self._waiting: deque[dict[bytes, bytes]] = deque()
        self._events: deque[Event] = deque()
        """Of the entry that was taken last."""
        self._waiting_bytes = 0
        self._ended = False
        self._failure: Exception | None = None
        self._woken: asyncio.Future[None] | None = None

    @property
    def wants_more(self) -> bool:
        """Whether it is to be read further: its end has not come, and its listener keeps up."""
        return (
            not self._ended
            and self._failure is None
            and len(self._waiting) < MOST_WAITING
            and self._waiting_bytes < MOST_WAITING_BYTES
        )

    async def next(self, *, patience_seconds: float) -> Event | None:
        """The next event, the first one of the stream at first; waits without polling.

        Returns:
            None when nothing came for so long: time to ask the database whether the job has ended.

        Raises:
            redis.RedisError: Redis is away. The stream is to be opened again, and then begins anew.
        """
        if not self._events:
            if not self._waiting and self._failure is None:
                await self._wait(patience_seconds)
            if not self._waiting:
                if self._failure is not None:
                    raise redis.ConnectionError(str(self._failure)) from self._failure
                return None
            self._events.extend(channel.events(self._take()))
        return self._events.popleft()

    def _take(self) -> dict[bytes, bytes]:
        """The entry that has waited longest."""
        had_enough = not self.wants_more
        fields = self._waiting.popleft()
        self._waiting_bytes -= _size(fields)
        if had_enough and self.wants_more:
            self._look_again(self)
        return fields

    def put(self, entries: list[Entry], *, after: Position) -> None:
        """Take those that are new of the entries that follow a position.

        They were asked for by another listener to the same stream, who may be further back. Where this one is, or
        has enough for now, it takes none, and they are read once more.
        """
        if self.position < after or not self.wants_more:
            return
        for position, fields in entries:
            if position > self.position:
                self.position = position
                self._waiting.append(fields)
                self._waiting_bytes += (size := _size(fields))
                self.entry_bytes = max(self.entry_bytes, size)
                self._ended = channel.is_end(fields)
                self.flows = self.flows or channel.is_audio(fields)
                self._wake()

    def fail(self, error: Exception) -> None:
        self._failure = error
        self._wake()

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await self._woken
        finally:
            timer.cancel()
            self._woken = None

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)


def _size(fields: dict[bytes, bytes]) -> int:
    return sum(map(len, fields.values()))
