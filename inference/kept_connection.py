"""Connections to Redis that are kept from one command to the next.

redis-py looks for one in its pool for each command, goes through layers of locks and retries, and with asyncio
sends in a task with a timer. Here commands that leave together are packed and sent at once. A connection that was
closed since its last use is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from queue import Empty, LifoQueue
from typing import Any

import hiredis
import redis
import redis.asyncio
from redis.exceptions import ResponseError

Command = tuple[str | bytes | int | float, ...]


class KeptConnection:
    """A connection like those of the client's pool, for one task at a time.

    Args:
        patience_seconds: how long answers may take before Redis counts as away.

    Attributes:
        id: what Redis calls it; 0 while there is none.
    """

    def __init__(self, client: redis.asyncio.Redis, *, patience_seconds: float) -> None:
        pool: Any = client.connection_pool
        self.id = 0
        self._connection = pool.make_connection()
        self._connection.socket_timeout = None  # which would cost each command a task and two timers
        self._patience_seconds = patience_seconds

    async def ask(self, *command: str | bytes | int | float) -> Any:
        """The answer to a command. Raises redis.RedisError, OSError: Redis is away, or refuses it."""
        (answer,) = await self.ask_all([command])
        if isinstance(answer, ResponseError):
            raise answer
        return answer

    async def ask_all(self, commands: Iterable[Command]) -> list[Any]:
        """The answers to commands that leave together, refusals among them.

        Raises:
            redis.RedisError, OSError: Redis is away; the commands may have run.
        """
        packed = [_pack(command) for command in commands]
        reused = self._connection.is_connected
        try:
            async with asyncio.timeout(self._patience_seconds):
                try:
                    return await self._exchange(packed)
                except redis.ConnectionError:
                    if not reused:
                        raise
                    return await self._exchange(packed)
        except TimeoutError:
            raise redis.TimeoutError("Redis did not answer in time") from None

    async def aclose(self) -> None:
        self.id = 0
        await self._connection.disconnect(nowait=True)

    async def _exchange(self, packed: list[bytes]) -> list[Any]:
        try:
            if not self._connection.is_connected:
                await self._connection.connect()
                (self.id,) = await self._send([_pack(("CLIENT", "ID"))])
            return await self._send(packed)
        except BaseException:  # what is still on its way must not be taken for an answer to others
            await self.aclose()
            raise

    async def _send(self, packed: list[bytes]) -> list[Any]:
        await self._connection.send_packed_command(packed)
        return [await self._answer() for _ in packed]

    async def _answer(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return error


class KeptConnections:
    """Connections like those of the client's pool, for threads: each is one thread's until it has its answers.

    Args:
        most: how many.
        wait_seconds: how long a thread waits for one that is free.
    """

    def __init__(self, client: redis.Redis, *, most: int = 1, wait_seconds: float = 60.0) -> None:
        pool: Any = client.connection_pool
        self._wait_seconds = wait_seconds
        self._free: LifoQueue[Any] = LifoQueue()
        for _ in range(most):
            self._free.put(pool.connection_class(**pool.connection_kwargs))

    def ask(self, *commands: Command) -> list[Any]:
        """The answers to commands that leave together.

        Raises:
            redis.RedisError: Redis is away, or refuses one of them; the commands, or the others, may have run.
        """
        packed = b"".join(map(_pack, commands))
        try:
            connection = self._free.get(timeout=self._wait_seconds)
        except Empty:
            raise redis.ConnectionError("no connection was free in time") from None
        try:
            answers = _exchange(connection, packed, len(commands))
        finally:
            self._free.put(connection)
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        return answers


def _exchange(connection: Any, packed: bytes, count: int) -> list[Any]:
    if _was_closed(connection):
        connection.disconnect()
    try:
        connection.send_packed_command((packed,))
        return [_answer(connection) for _ in range(count)]
    except BaseException:  # as above
        connection.disconnect()
        raise


def _was_closed(connection: Any) -> bool:
    """Whether Redis closed it since its last use. A command that it may have got is not sent again."""
    try:
        return bool(connection.can_read())
    except redis.ConnectionError:
        return True


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _pack(command: Command) -> bytes:
    """As it goes over the wire. redis-py's own way, in Python, takes eight times as long."""
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type] # its stub knows tuples of one
    return packed
