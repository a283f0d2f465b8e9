"""Redis scripts of many requests in one round trip: those that come while one is under way leave with the next.

A request runs three.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import redis.asyncio
from redis.exceptions import NoScriptError

from gateway.coalescer import Coalescer
from inference.kept_connection import Command, KeptConnection

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

    def command(self, *, by_name: bool) -> Command:
        script = ("EVALSHA", self.script.sha) if by_name else ("EVAL", self.script.text)
        return (*script, len(self.keys), *self.keys, *self.arguments)


class Scripts:
    """Runs scripts, in the order in which they come."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._connection = KeptConnection(client, patience_seconds=PATIENCE_SECONDS)
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
        await self._connection.aclose()

    async def _run_all(self, calls: Sequence[_Call]) -> list[Any]:
        answers = await self._connection.ask_all(call.command(by_name=True) for call in calls)
        unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:  # Redis was started anew, or its scripts were flushed
            loaded = await self._connection.ask_all(calls[place].command(by_name=False) for place in unknown)
            for place, answer in zip(unknown, loaded, strict=True):
                answers[place] = answer
        return answers
