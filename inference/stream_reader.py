"""Reads the streams of all jobs that a process listens to, by one blocking XREAD on one connection.

A command that names a thousand streams costs some milliseconds in Redis and here. So streams whose audio flows are
asked for after a rest that grows with their number; what arrives meanwhile comes together with the next command.
Listeners that still wait for their first audio are asked for during that rest, too.

An answer is in memory as a whole, in Redis and here, so it must not grow with the number of streams: a process
that is behind would fall back further with each. Streams that may have more than one answer carries are asked for
by several commands, one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from uuid import UUID

import redis
import redis.asyncio

from inference.failures import place_of
from inference.job_stream import MOST_WAITING_BYTES, Entry, JobStream, Position
from inference.kept_connection import KeptConnection

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
POLL_REST_SECONDS = 0.01
"""Where several commands ask for the streams, none of which waits for entries."""
UNBLOCK_AGAIN_SECONDS = 0.001
CANCEL_AGAIN_SECONDS = 0.05
ENTRIES_AT_ONCE = 4
"""Of one stream, in one answer; fewer where they are large."""
ANSWER_BYTES = 8 << 20
"""Of entries in one answer, as far as those before them tell."""


class StreamReader:
    """The streams that one process listens to."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._streams: dict[bytes, list[JobStream]] = {}
        self._waiting: set[JobStream] = set()
        """Those without audio."""
        self._connection = KeptConnection(client, patience_seconds=BLOCK_SECONDS + ANSWER_SECONDS)
        """Of the XREADs."""
        self._unblocker = KeptConnection(client, patience_seconds=ANSWER_SECONDS)
        self._running: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None
        self._command = 0
        """The number of the last XREAD."""
        self._blocks = False
        """Whether it waits for entries."""
        self._polls = False
        """Whether it was one of several, none of which waits."""
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
        stream = JobStream(job_id, self.look_again)
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
        await self._connection.aclose()
        await self._unblocker.aclose()

    def look_again(self, stream: JobStream) -> None:
        """The stream wants more, and the XREAD under way, if there is one, does not ask for it."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        elif self._blocks and (self._asks_all or not stream.flows):
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
                    if not (asked := await self._hear(chain.from_iterable(self._streams.values()), BLOCK_SECONDS)):
                        break
                    least = POLL_REST_SECONDS if self._polls else 0
                    self._all_due = time.monotonic() + max(asked * FLOWING_REST_SECONDS, least)
                elif asked := await self._hear(self._waiting, rest):
                    if (rest := asked * WAITING_REST_SECONDS) >= LEAST_REST_SECONDS:
                        await asyncio.sleep(rest)
                else:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._new.wait(), rest)
        except Exception as error:  # Redis is away; or a fault of ours, of which the listeners shall not hang
            if not isinstance(error, redis.RedisError | OSError):
                log.error("the streams cannot be read\n%s", place_of(error))
            await self._connection.aclose()
            failed, self._streams = self._streams, {}
            self._waiting.clear()
            for streams in failed.values():
                for stream in streams:
                    stream.fail(error)
        finally:
            self._outdated = False
            self._running = None

    async def _hear(self, streams: Iterable[JobStream], block_seconds: float) -> int:
        """Give new entries to their listeners.

        Waits for some where one command asks for all. Where several do, none waits: the others would, too.

        Returns:
            How many streams it asked for; 0 where none wants more.
        """
        questions = _questions(streams)
        self._polls = len(questions) > 1
        for question in questions:
            for key, entries in await self._read(question, 0 if self._polls else block_seconds):
                for stream in self._streams.get(key, ()):
                    stream.put(entries, after=question.positions[key])
                    if stream.flows:
                        self._waiting.discard(stream)
        return sum(len(question.positions) for question in questions)

    async def _read(self, question: _Question, block_seconds: float) -> list[tuple[bytes, list[Entry]]]:
        """New entries; there are none if a wait for them was ended. Raises redis.RedisError, OSError."""
        self._command += 1
        self._blocks, self._outdated = block_seconds > 0, False
        positions = (f"{millisecond}-{number}" for millisecond, number in question.positions.values())
        block = ("BLOCK", max(1, int(block_seconds * 1000))) if self._blocks else ()
        command = ("XREAD", "COUNT", question.entries, *block, "STREAMS", *question.positions, *positions)
        try:
            answer = await self._connection.ask(*command)
        finally:
            self._blocks = False
        return [(key, _entries(found)) for key, found in _by_stream(answer)]

    async def _end_wait(self) -> None:
        """End the wait of the XREAD under way, so that one follows which asks for every stream."""
        try:
            while self._blocks and self._outdated:
                command = self._command
                woken = await self._unblocker.ask("CLIENT", "UNBLOCK", self._connection.id)
                if not woken and command == self._command:
                    await asyncio.sleep(UNBLOCK_AGAIN_SECONDS)  # Redis has not got it yet
        except redis.RedisError as error:
            log.warning("a new stream waits for the others: %s", type(error).__name__)
        finally:
            self._waking = None


@dataclass(slots=True)
class _Question:
    """What one command asks for: streams, each from a position, and so many entries of each."""

    positions: dict[bytes, Position] = field(default_factory=dict)
    entry_bytes: int = 0
    """Of the largest entry that one of them had."""

    @property
    def entries(self) -> int:
        return _at_once(self.entry_bytes)

    def has_room_for(self, stream: JobStream) -> bool:
        """Whether the answer stays within its size."""
        largest = max(self.entry_bytes, stream.entry_bytes)
        return not self.positions or (len(self.positions) + 1) * largest * _at_once(largest) <= ANSWER_BYTES

    def add(self, stream: JobStream) -> None:
        """Ask for a stream's entries, for several listeners from where the one is that is furthest back."""
        self.positions[stream.key] = min(stream.position, self.positions.get(stream.key, stream.position))
        self.entry_bytes = max(self.entry_bytes, stream.entry_bytes)


def _at_once(entry_bytes: int) -> int:
    """How many entries of this size one stream gives at once."""
    return min(ENTRIES_AT_ONCE, max(1, MOST_WAITING_BYTES // max(1, entry_bytes)))


def _questions(streams: Iterable[JobStream]) -> list[_Question]:
    """Those that ask for all streams that are to be read."""
    questions: list[_Question] = []
    for stream in streams:
        if stream.wants_more:
            if not questions or not questions[-1].has_room_for(stream):
                questions.append(_Question())
            questions[-1].add(stream)
    return questions


def _by_stream(answer: Any) -> list[tuple[bytes, Any]]:
    """The answer's streams, in whichever shape the protocol version gives them."""
    return list(answer.items() if isinstance(answer, dict) else answer or ())


def _entries(found: Any) -> list[Entry]:
    return [(_position(id), dict(zip(flat[::2], flat[1::2], strict=True))) for id, flat in found]


def _position(id: bytes) -> Position:
    millisecond, _, number = id.partition(b"-")
    return int(millisecond), int(number)
