"""The limiter alone: its two doors, bursts, and what it does when Redis is away."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
import redis
import redis.asyncio
from django.conf import settings

from accounts.keys import Principal
from gateway import scripts
from gateway.errors import ApiError
from gateway.limits import limits
from gateway.limits.limiter import UNCOUNTED, Limiter
from gateway.scripts import Scripts


def principal(**own: Any) -> Principal:
    """A key and an organization of these limits."""
    return Principal(uuid4(), uuid4(), None, b"", 1, own, own)


def take(limiter: Limiter, who: Principal, tokens: int = 1) -> None:
    async def once() -> None:
        async with limiter.slot(who) as slot:
            await slot.charge(tokens)
        await limiter.drain()

    asyncio.run(once())


def test_a_dead_redis_lets_through_for_a_while_and_then_no_more(settings: Any) -> None:
    limiter = Limiter(Scripts(redis.asyncio.Redis.from_url("unix:///nowhere/valkey.sock")))
    who, before = principal(requests_per_minute=1), UNCOUNTED._value.get()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"rate_limit_grace_seconds": 0.3})
    for _ in range(3):
        take(limiter, who)
    assert UNCOUNTED._value.get() == before + 3
    time.sleep(0.4)
    with pytest.raises(ApiError) as refused:
        take(limiter, who)
    assert (refused.value.status, refused.value.code) == (503, "rate_limits_unavailable")


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("short", [True, False])
def test_what_a_door_refuses_takes_nothing_at_it(short: bool) -> None:
    """A request that is refused for its audio has been read: it counts as a request, and takes no audio."""
    who = principal(requests_per_minute=13, audio_seconds_per_minute=2)

    async def work() -> dict[str, str]:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, max_connections=1000)
        limiter = Limiter(Scripts(client))
        async with limiter.slot(who) as first:
            await first.charge(50)
            for _ in range(10):
                with pytest.raises(ApiError):
                    async with limiter.slot(who, short=short) as slot:
                        await slot.charge(1)
        await limiter.drain()
        async with limiter.slot(who, short=short) as slot:
            await slot.charge(1)
        await limiter.drain()
        await client.aclose()
        return slot.headers

    headers = asyncio.run(work())
    assert (headers["x-ratelimit-remaining-requests"], headers["x-ratelimit-remaining-tokens"]) == ("1", "49")


def test_a_short_request_passes_both_doors_at_once(broker: redis.Redis) -> None:
    """It counts as any other does, and one that is wrong, too; whoever was refused is not read any more."""
    who = principal(requests_per_minute=3)
    read = 0

    def trips() -> int:
        return int(broker.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])

    async def work() -> None:
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client:
            limiter = Limiter(Scripts(client))
            for short in (False, True):
                before = trips()
                async with limiter.slot(who, short=short) as slot:
                    await slot.charge(25)
                    assert trips() - before == (1 if short else 2)
                await limiter.drain()
            assert slot.headers["x-ratelimit-remaining-requests"] == "1"
            with pytest.raises(ZeroDivisionError):
                async with limiter.slot(who, short=True):
                    raise ZeroDivisionError
            for _ in range(2):
                with pytest.raises(ApiError):
                    await refused(limiter)
            await limiter.drain()

    async def refused(limiter: Limiter) -> None:
        nonlocal read
        async with limiter.slot(who, short=True) as slot:
            read += 1
            await slot.charge(25)

    asyncio.run(work())
    assert read == 1
    (jobs,) = (each.jobs for each in limits.limits_of(who) if each.scope == "key")
    assert not broker.exists(jobs), "each has left"


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("limit", [1, 7, 200])
def test_of_a_burst_the_limit_is_admitted(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "PATIENCE_SECONDS", 30)  # after which they would go through uncounted
    who = principal(concurrent_jobs=limit)

    refused = 0

    async def hold(limiter: Limiter, stop: asyncio.Event) -> None:
        nonlocal refused
        try:
            async with limiter.slot(who):
                await stop.wait()
        except ApiError:
            refused += 1
            if refused == 300 - limit:
                stop.set()

    async def work() -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, max_connections=1000)
        limiter, stop = Limiter(Scripts(client)), asyncio.Event()
        async with asyncio.timeout(60):
            await asyncio.gather(*(hold(limiter, stop) for _ in range(300)))
            await limiter.drain()

    asyncio.run(work())
    assert refused == 300 - limit


def test_a_burst_takes_one_connection_and_outlives_a_flush_of_scripts(broker: redis.Redis) -> None:
    who = principal(requests_per_minute=1000)

    async def pass_through(limiter: Limiter) -> None:
        async with limiter.slot(who) as slot:
            assert slot.headers, "it was counted"
            await slot.charge(1)

    async def work() -> int:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, max_connections=1)
        limiter = Limiter(Scripts(client))
        for _ in range(3):
            broker.script_flush()
            await asyncio.gather(*(pass_through(limiter) for _ in range(100)))
        await limiter.drain()
        async with limiter.slot(who) as slot:
            left = int(slot.headers["x-ratelimit-remaining-requests"])
        await limiter.drain()
        await client.aclose()
        return left

    assert 699 <= asyncio.run(work()) < 800, "each counted once, and some of the minute has passed"


def bucket(limit: int) -> limits.Bucket:
    return limits.Bucket("key", "requests", "", limit)


@pytest.mark.parametrize("limit", [1, 3, 7, 600, 1_500_000])
def test_a_bucket_holds_its_limit(limit: int) -> None:
    one = bucket(limit)
    assert one.price(1) * limit <= limits.WINDOW_US < one.price(limit + 1) + limit
    assert [one.remaining(one.price(taken)) for taken in range(min(limit, 9) + 1)] == [
        limit - taken for taken in range(min(limit, 9) + 1)
    ]
    assert one.charge(limit * 5) == limits.WINDOW_US


@pytest.mark.parametrize(
    ("microseconds", "shown"),
    [
        (0, "0s"),
        (1, "1ms"),
        (12_000, "12ms"),
        (999_001, "1s"),
        (1_500_000, "1.5s"),
        (60_000_000, "1m0s"),
        (360_000_000, "6m0s"),
        (5_400_250_000, "1h30m0.25s"),
    ],
)
def test_durations_are_gos(microseconds: int, shown: str) -> None:
    assert limits.duration(microseconds) == shown
