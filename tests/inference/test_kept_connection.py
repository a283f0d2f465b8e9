"""What is kept must be as good as new: after a break, a refusal, and an answer that came too late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import redis
import redis.asyncio
from django.conf import settings

from inference.kept_connection import KeptConnection

ID = ("CLIENT", "ID")


def run(test: Callable[[KeptConnection], Coroutine[Any, Any, None]], *, patience_seconds: float = 10) -> None:
    async def with_connection() -> None:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
            kept = KeptConnection(client, patience_seconds=patience_seconds)
            await test(kept)
            await kept.aclose()

    asyncio.run(with_connection())


def test_it_is_kept_and_replaced_when_redis_closed_it(broker: redis.Redis) -> None:
    async def test(kept: KeptConnection) -> None:
        first = await kept.ask(*ID)
        assert (await kept.ask(*ID), kept.id) == (first, first)
        broker.client_kill_filter(_id=first)
        second = await kept.ask(*ID)
        assert (second > first, kept.id) == (True, second)

    run(test)


def test_a_refusal_is_the_answer_to_one_command(broker: redis.Redis) -> None:
    async def test(kept: KeptConnection) -> None:
        first, refusal, last = await kept.ask_all([("ECHO", "1"), ("HGET", "only one"), ("ECHO", "2")])
        assert (first, last) == (b"1", b"2")
        assert isinstance(refusal, redis.ResponseError)
        with pytest.raises(redis.ResponseError):
            await kept.ask("HGET", "only one")
        assert await kept.ask("ECHO", "3") == b"3"

    run(test)


def test_an_answer_that_comes_too_late_is_nobodys(broker: redis.Redis) -> None:
    async def test(kept: KeptConnection) -> None:
        with pytest.raises(redis.TimeoutError):
            await kept.ask("BRPOP", "nothing", 5)
        assert await kept.ask("ECHO", "mine") == b"mine"

    run(test, patience_seconds=0.2)
