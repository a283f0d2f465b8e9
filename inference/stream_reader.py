"""Reads the streams of all jobs that a process listens to, by one blocking XREAD on one connection.

A command that names a thousand streams costs some milliseconds in Redis and here. So streams whose audio flows are
asked for after a rest that grows with their number; what arrives meanwhile comes together with the next command.
Listeners that still wait for their first audio are asked for during that rest, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any
from uuid import UUID

import redis
import redis.asyncio

from inference import channel
from inference.channel import Event
from inference.failures import place_of

log = logging.getLogger(__name__)

BLOCK_SECONDS = 1.0
"""How long an XREAD waits. A stream that is opened meanwhile ends the wait, if Redis allows CLIENT UNBLOCK."""
ANSWER_SECONDS = 5.0
"""How much longer its answer may take, before Redis counts as away."""
WAITING_REST_SECONDS = 10e-6
"""For each stream without audio: ten times what a stream costs in a command."""
FLOWING_REST_SECONDS = 40e-6
"""For each stream whose audio flows: 20 ms with 500 of them, where a chunk lasts most of a second."""
LEAST_REST_SECONDS = 0.001
"""The clocks of the event loop and of XREAD are no finer."""
UNBLOCK_AGAIN_SECONDS = 0.001
CANCEL_AGAIN_SECONDS = 0.05
ENTRIES_AT_ONCE = 4
"""Of one stream, in one answer."""
MOST_WAITING = 4
MOST_WAITING_BYTES = 65_536
"""A listener for whom so much waits gets no more until it has taken some: a slow client costs this much memory,
and the entries of one answer."""

Position = tuple[int, int]
"""An entry's id: its millisecond, and its number within it."""
Entry = tuple[Position, dict[bytes, bytes]]


class JobStream:
    """One listener's place in the stream of one job."""

    def __init__(self, reader: StreamReader, job_id: UUID) -> None:
        self.key = channel.key(job_id).encode()
        self.position: Position = (0, 0)
        self.flows = False
        """Whether its first audio is here."""
        self._reader = reader
        self._waiting: deque[dict[bytes, bytes]] = deque()
        self._start_told = False
        """Whether what the first of them says of its attempt's start was told."""
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
        if not self._waiting and self._failure is None:
            await self._wait(patience_seconds)
        if not self._waiting:
            if self._failure is not None:
                raise redis.ConnectionError(str(self._failure)) from self._failure
            return None
        fields = self._waiting[0]
        if not self._start_told and (started := channel.started(fields)) is not None:
            self._start_told = True
            return started
        self._start_told = False
        had_enough = not self.wants_more
        self._waiting.popleft()
        self._waiting_bytes -= _size(fields)
        if had_enough and self.wants_more:
            self._reader.look_again(self)
        return channel.decode(fields)

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
                self._waiting_bytes += _size(fields)
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


class StreamReader:
    """The streams that one process listens to."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._streams: dict[bytes, list[JobStream]] = {}
        self._waiting: set[JobStream] = set()
        """Those without audio."""
        self._connection: Any = None
        self._connection_id = 0
        self._running: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None
        self._command = 0
        """The number of the last XREAD."""
        self._asking = False
        """Whether it has not been answered."""
        self._asks_all = False
        """Whether it asks for more than the streams without audio."""
        self._outdated = False
        """Whether it leaves out a stream that it should ask for."""
        self._all_due = -math.inf
        """When all streams are to be asked for."""
        self._new = asyncio.Event()
        """Set by a new stream."""

    @contextmanager
    def open(self, job_id: UUID) -> Iterator[JobStream]:
        """Listen to a job from its first event on; any number of listeners may, each with a place of its own."""
        stream = JobStream(self, job_id)
        self._streams.setdefault(stream.key, []).append(stream)
        self._waiting.add(stream)
        self._new.set()
        self.look_again(stream)
        try:
            yield stream
        finally:
            self._leave(stream)

    async def aclose(self) -> None:
        """Close the connection. Listeners get nothing more."""
        for task in (self._running, self._waking):
            # Again and again: Python 3.11's wait_for, by which redis-py sends, swallows a cancellation now and
            # then (python/cpython#86296).
            while task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)
        await self._disconnect()

    def look_again(self, stream: JobStream) -> None:
        """The stream wants more, and the XREAD under way, if there is one, does not ask for it."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        elif self._asking and (self._asks_all or not stream.flows):
            self._outdated = True
            if self._waking is None:
                self._waking = asyncio.create_task(self._end_wait())

    def _leave(self, stream: JobStream) -> None:
        self._waiting.discard(stream)
        others = self._streams.get(stream.key, [])
        if stream in others:
            others.remove(stream)
            if not others:
                del self._streams[stream.key]

    async def _run(self) -> None:
        """Read for as long as a stream wants more."""
        try:
            while True:
                self._new.clear()
                rest = self._all_due - time.monotonic()
                self._asks_all = rest < LEAST_REST_SECONDS
                if self._asks_all:
                    if not (wanted := _wanted(chain.from_iterable(self._streams.values()))):
                        break
                    await self._hear(wanted, block_seconds=BLOCK_SECONDS)
                    self._all_due = time.monotonic() + len(wanted) * FLOWING_REST_SECONDS
                elif wanted := _wanted(self._waiting):
                    await self._hear(wanted, block_seconds=rest)
                    if (rest := len(wanted) * WAITING_REST_SECONDS) >= LEAST_REST_SECONDS:
                        await asyncio.sleep(rest)
                else:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._new.wait(), rest)
        except Exception as error:  # Redis is away; or a fault of ours, of which the listeners shall not hang
            if not isinstance(error, redis.RedisError | OSError):
                log.error("the streams cannot be read\n%s", place_of(error))
            await self._disconnect()
            failed, self._streams = self._streams, {}
            self._waiting.clear()
            for streams in failed.values():
                for stream in streams:
                    stream.fail(error)
        finally:
            self._outdated = False
            self._running = None

    async def _hear(self, wanted: dict[bytes, Position], *, block_seconds: float) -> None:
        """Give new entries to their listeners."""
        for key, entries in await self._read(wanted, block_seconds):
            for stream in self._streams.get(key, ()):
                stream.put(entries, after=wanted[key])
                if stream.flows:
                    self._waiting.discard(stream)

    async def _read(self, wanted: dict[bytes, Position], block_seconds: float) -> list[tuple[bytes, list[Entry]]]:
        """Wait for new entries; there are none if the wait was ended. Raises redis.RedisError, OSError."""
        self._command += 1
        self._asking, self._outdated = True, False
        positions = (f"{millisecond}-{number}" for millisecond, number in wanted.values())
        options = ("COUNT", ENTRIES_AT_ONCE, "BLOCK", max(1, int(block_seconds * 1000)))
        command = ("XREAD", *options, "STREAMS", *wanted, *positions)
        reused = self._connection is not None
        try:
            answer = await self._ask(command)
        except redis.ConnectionError:
            if not reused:
                raise
            await self._disconnect()  # Redis may have been started anew
            answer = await self._ask(command)
        finally:
            self._asking = False
        return [(key, _entries(found)) for key, found in _by_stream(answer)]

    async def _ask(self, command: tuple[Any, ...]) -> Any:
        if self._connection is None:
            pool: Any = self._client.connection_pool
            self._connection = connection = await pool.get_connection()
            await connection.send_command("CLIENT", "ID")
            self._connection_id = int(await connection.read_response())
        try:
            async with asyncio.timeout(BLOCK_SECONDS + ANSWER_SECONDS):
                await self._connection.send_command(*command)
                return await self._connection.read_response(timeout=math.inf)
        except TimeoutError:
            raise redis.TimeoutError("XREAD was not answered") from None

    async def _end_wait(self) -> None:
        """End the wait of the XREAD under way, so that one follows which asks for every stream."""
        try:
            while self._asking and self._outdated:
                command = self._command
                woken = await self._client.client_unblock(self._connection_id)
                if not woken and command == self._command:
                    await asyncio.sleep(UNBLOCK_AGAIN_SECONDS)  # Redis has not got it yet
        except redis.RedisError as error:
            log.warning("a new stream waits for the others: %s", type(error).__name__)
        finally:
            self._waking = None

    async def _disconnect(self) -> None:
        connection, self._connection, self._connection_id = self._connection, None, 0
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._client.connection_pool.release(connection)


def _wanted(streams: Iterable[JobStream]) -> dict[bytes, Position]:
    """Those to be read, each from where its listener is that is furthest back."""
    wanted: dict[bytes, Position] = {}
    for stream in streams:
        if stream.wants_more:
            wanted[stream.key] = min(stream.position, wanted.get(stream.key, stream.position))
    return wanted


def _by_stream(answer: Any) -> list[tuple[bytes, Any]]:
    """The answer's streams, in whichever shape the protocol version gives them."""
    return list(answer.items() if isinstance(answer, dict) else answer or ())


def _entries(found: Any) -> list[Entry]:
    return [(_position(id), dict(zip(flat[::2], flat[1::2], strict=True))) for id, flat in found]


def _position(id: bytes) -> Position:
    millisecond, _, number = id.partition(b"-")
    return int(millisecond), int(number)


def _size(fields: dict[bytes, bytes]) -> int:
    return sum(map(len, fields.values()))
