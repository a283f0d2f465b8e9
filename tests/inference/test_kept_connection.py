"""What is kept must be as good as new: after a break, a refusal, and an answer that came too late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import redis.asyncio
from django.conf import settings

from inference.kept_connection import KeptConnection, KeptConnections
from tests.live import free_port

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


def test_threads_get_their_own_answers_from_few_connections(broker: redis.Redis) -> None:
    kept = KeptConnections(broker, most=4)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: kept.ask(("ECHO", number), ID), range(500)))
    assert [int(echo) for echo, _ in answers] == list(range(500))
    assert len({id for _, id in answers}) <= 4


def test_a_thread_gets_a_new_connection_when_redis_closed_it(broker: redis.Redis) -> None:
    kept = KeptConnections(broker)
    (first,) = kept.ask(ID)
    assert kept.ask(ID) == [first]
    broker.client_kill_filter(_id=first)
    assert kept.ask(ID) > [first]


def test_a_refusal_is_raised_and_leaves_the_next_answer_alone(broker: redis.Redis) -> None:
    kept = KeptConnections(broker)
    (first,) = kept.ask(ID)
    with pytest.raises(redis.ResponseError):
        kept.ask(("HGET", "only one"), ("ECHO", "1"))
    assert kept.ask(("ECHO", "2"), ID) == [b"2", first]


def test_a_thread_hears_no_answer_of_before(broker: redis.Redis) -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.2) as client:
        kept = KeptConnections(client)
        with pytest.raises(redis.TimeoutError):
            kept.ask(("BRPOP", "nothing", 5))
        assert kept.ask(("ECHO", "mine")) == [b"mine"]


def test_redis_away_is_said() -> None:
    with redis.Redis(port=free_port()) as client, pytest.raises(redis.ConnectionError):
        KeptConnections(client).ask(ID)
