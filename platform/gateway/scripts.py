"""Redis scripts of many requests in one round trip: those that come while one is under way leave with the next.

A request runs three. They have a connection of their own, since redis-py looks for one in its pool for each
command, checks it, and sends in a task with a timer.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import redis.asyncio
from redis.exceptions import NoScriptError, ResponseError

from gateway.coalescer import Coalescer

MOST = 100
"""Scripts in one round trip."""
PATIENCE_SECONDS = 2.0
"""How long Redis is waited for: long enough that a busy gateway is not taken for a dead Redis."""


@dataclass(frozen=True)
class RedisScript:
    """A script in Lua, which Redis keeps once it has run."""

    text: str

    @cached_property
    def sha(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Call:
    script: RedisScript
    keys: Sequence[str]
    arguments: Sequence[str | int]

    def command(self, *, by_name: bool) -> tuple[str | int, ...]:
        script = ("EVALSHA", self.script.sha) if by_name else ("EVAL", self.script.text)
        return (*script, len(self.keys), *self.keys, *self.arguments)


class Scripts:
    """Runs scripts, in the order in which they come."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._pool: Any = client.connection_pool
        self._connection: Any = None
        self._together = Coalescer(self._run_all, most=MOST)

    async def run(self, script: RedisScript, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """What the script returns.

        Raises:
            redis.RedisError, TimeoutError, OSError: it failed, or Redis is away; the script may have run.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await self._together(_Call(script, keys, arguments))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        await self._disconnect()

    async def _run_all(self, calls: Sequence[_Call]) -> list[Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answers = await self._ask(call.command(by_name=True) for call in calls)
            unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if unknown:  # Redis was started anew, or its scripts were flushed
                loaded = await self._ask(calls[place].command(by_name=False) for place in unknown)
                for place, answer in zip(unknown, loaded, strict=True):
                    answers[place] = answer
        return answers

    async def _ask(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        """The answers, errors among them. A connection that was closed since its last use is replaced."""
        packed, reused = [*commands], self._connection is not None
        try:
            return await self._exchange(packed)
        except redis.ConnectionError:
            if not reused:
                raise
            return await self._exchange(packed)

    async def _exchange(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        if self._connection is None:
            self._connection = await self._pool.get_connection()
            self._connection.socket_timeout = None  # which would cost each send a task and a timer
        connection = self._connection
        try:
            await connection.send_packed_command(connection.pack_commands(commands))
            return [await _answer(connection) for _ in commands]
        except BaseException:  # what is still on its way must not be taken for an answer to others
            await self._disconnect()
            raise

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)


async def _answer(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
