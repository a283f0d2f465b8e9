"""Redis scripts of many requests in one round trip: those that come while one is under way leave with the next.

A request runs three, and each by itself cost the gateway a connection of the pool, a write and a read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

from gateway.coalescer import Coalescer

MOST = 100
"""Scripts in one round trip."""


@dataclass(frozen=True, slots=True)
class _Call:
    script: AsyncScript
    keys: Sequence[str]
    arguments: Sequence[str | int]

    async def run(self) -> Any:
        return await self.script(self.keys, self.arguments)


class Scripts:
    """Runs scripts, in the order in which they come.

    Args:
        patience_seconds: how long Redis is waited for.
    """

    def __init__(self, client: redis.asyncio.Redis, *, patience_seconds: float) -> None:
        self._client = client
        self._patience_seconds = patience_seconds
        self._together = Coalescer(self._run_all, most=MOST)

    async def run(self, script: AsyncScript, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """What the script returns.

        Raises:
            redis.RedisError, TimeoutError, OSError: it failed, or Redis is away; the script may have run.
        """
        async with asyncio.timeout(self._patience_seconds):
            answer = await self._together(_Call(script, keys, arguments))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _run_all(self, calls: Sequence[_Call]) -> list[Any]:
        async with asyncio.timeout(self._patience_seconds):
            if len(calls) == 1:
                return [await calls[0].run()]
            async with self._client.pipeline(transaction=False) as pipe:
                for call in calls:
                    pipe.evalsha(call.script.sha, len(call.keys), *call.keys, *call.arguments)
                answers = await pipe.execute(raise_on_error=False)
            return [
                # Redis was started anew, or its scripts were flushed: run by itself, it is loaded again.
                await call.run() if isinstance(answer, NoScriptError) else answer
                for call, answer in zip(calls, answers, strict=True)
            ]
