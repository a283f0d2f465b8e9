"""Keeping the rate limits, in Redis, for all gateways together.

A request passes two doors. Before its body is read: requests a minute and jobs at once. When it is understood:
audio a minute. At each, one script looks at the key's limits and its organization's in one round trip and takes
from all or from none. So whoever is over the rate is refused before the work of reading, and a body that is wrong
has counted. A short body of a caller who was not refused lately is read first, and one round trip does for both
doors; where it takes nothing, the doors are passed one by one. The library `limits` tests one limit a call and
knows no concurrency, so it is not used. Of a bucket only the moment is kept at which it will be full again; the
script is given prices, not limits, so that a changed limit holds from the next request on.

Audio is charged by the order's cap and corrected at the end to what was generated: charged only at
the end, a thousand requests at once would all find the bucket full. A job's slot is a lease that outlives its
request's deadline a little, so that a killed gateway locks it for no longer than the job it left may run.

Nothing here is money. Where Redis is away, requests go through uncounted for `RATE_LIMIT_GRACE_SECONDS`; then
they are refused until it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import redis
from django.conf import settings
from prometheus_client import Counter

from accounts.identifiers import new_id
from accounts.keys import Principal
from gateway.errors import ApiError, no_room, unavailable
from gateway.limits.limits import (
    AUDIO,
    JOBS,
    REQUESTS,
    WINDOW_US,
    Bucket,
    ScopedLimits,
    bucket_refusal,
    headers,
    jobs_refusal,
    limits_of,
)
from gateway.scripts import PATIENCE_SECONDS, RedisScript, Scripts
from inference.audio import FRAME_RATE

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 1.0
LEASE_MARGIN_SECONDS = 10
SUSPECT_SECONDS = 1.0
"""How long whoever was refused passes the first door before the body is read."""
MAX_REMEMBERED = 10_000

REFUSED = Counter("speech_rate_limited", "Requests refused by a rate limit.", ["limit"])
UNCOUNTED = Counter("speech_rate_limits_uncounted", "Requests let through uncounted because Redis was away.")

_HERE = Path(__file__).parent
_REFILL = (_HERE / "refill.lua").read_text("utf-8")
_TAKE, _GIVE_BACK = (
    RedisScript(_REFILL + (_HERE / f"{name}.lua").read_text("utf-8")) for name in ("take", "give_back")
)


class Slot:
    """A request's place among those of its key and its organization.

    Attributes:
        headers: what the answer says of the limits.
        tokens_used: to be set to what was generated.
    """

    def __init__(self, limiter: Limiter, limits: Sequence[ScopedLimits], name: str) -> None:
        self.headers: dict[str, str] = {}
        self.tokens_used = 0
        self._limiter = limiter
        self._limits = limits
        self._name = name
        self._entered = False
        self._counted = False
        self._audio: dict[Bucket, int] = {}

    async def enter(self) -> None:
        """Pass the first door, once. Raises ApiError: 429 or 503, as `charge` does."""
        if not self._entered:
            self._entered = True
            self._counted = await self._take(self._requests(), self._limits)

    async def charge(self, tokens: int) -> None:
        """Take at most `tokens` of audio; what was not used is given back at the end.

        Raises:
            ApiError: 429 that names the limit, or 503 where Redis has been away for too long.
        """
        audio = {each.buckets[1]: each.buckets[1].charge(tokens) for each in self._limits}
        if not self._entered and await self._pass_both(audio):
            return
        await self.enter()
        if not self._counted:
            return  # Redis was away at the first door: this request goes uncounted
        if await self._take(audio, ()):
            self._audio = audio

    async def leave(self) -> None:
        if not self._entered:
            return
        corrections = {
            bucket.name: bucket.price(self.tokens_used) - charge for bucket, charge in self._audio.items()
        }
        await self._limiter.give_back(self._limits, corrections, self._name)

    def _requests(self) -> dict[Bucket, int]:
        return {each.buckets[0]: each.buckets[0].charge(1) for each in self._limits}

    async def _pass_both(self, audio: dict[Bucket, int]) -> bool:
        """Pass both doors in one round trip; False where they are to be passed one by one."""
        charges = self._requests() | audio
        self._entered = True
        taken = await self._limiter.take(charges, self._limits, self._name)
        if taken is None:
            return True
        if taken.admitted:
            self._counted, self._audio = True, audio
            self._note(charges, taken.before[: len(charges)])
        else:
            self._entered = False
        return taken.admitted

    async def _take(self, charges: Mapping[Bucket, int], jobs: Sequence[ScopedLimits]) -> bool:
        """Whether it was counted. Raises ApiError where a limit is reached."""
        taken = await self._limiter.take(charges, jobs, self._name)
        if taken is None:
            return False
        used, running = taken.before[: len(charges)], taken.before[len(charges) :]
        if not taken.admitted:
            self._limiter.suspect(self._limits)
            raise _refusal(jobs, running, charges, used, self.headers)
        self._note(charges, used)
        return True

    def _note(self, charges: Mapping[Bucket, int], used: Sequence[int]) -> None:
        self.headers |= headers(list(charges), [sum(pair) for pair in zip(used, charges.values(), strict=True)])


class Taken(NamedTuple):
    """What the script answered; `before`: how full each bucket was, then how many jobs ran."""

    admitted: bool
    before: list[int]


class Limiter:
    """The limits of all callers."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._away_since: float | None = None
        self._asked_at = float("-inf")
        self._leaving: set[asyncio.Task[None]] = set()
        self._suspected: dict[UUID, float] = {}
        """Until when, by the ids of keys and organizations."""

    @asynccontextmanager
    async def slot(self, principal: Principal, *, short: bool = False) -> AsyncIterator[Slot]:
        """Room for one request, for as long as the body runs; its audio is to be charged when its cap is known.

        The room is given back behind the request, which does not wait for it; see `drain`.

        Args:
            short: it costs little to understand, so that it may enter when it is charged.

        Raises:
            ApiError: 429 that names the limit, or 503 where Redis has been away for too long.
        """
        slot = Slot(self, limits_of(principal), new_id().hex)
        if not short or self._suspects(principal):
            await slot.enter()
        try:
            yield slot
        except Exception:
            await slot.enter()  # what is wrong counts, too
            raise
        finally:  # where Redis was away, too: it may have taken what it did not live to say
            leaving = asyncio.create_task(slot.leave())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    def suspect(self, limits: Sequence[ScopedLimits]) -> None:
        """A request of theirs was refused; the next ones will be, too, and shall cost little."""
        if len(self._suspected) >= MAX_REMEMBERED:
            self._suspected.clear()
        self._suspected |= {each.id: time.monotonic() + SUSPECT_SECONDS for each in limits}

    def _suspects(self, principal: Principal) -> bool:
        now = time.monotonic()
        return any(self._suspected.get(id, 0.0) > now for id in (principal.key_id, principal.organization_id))

    async def drain(self) -> None:
        """Wait until the requests that have ended have given back their room."""
        await asyncio.gather(*self._leaving)

    async def take(self, charges: Mapping[Bucket, int], jobs: Sequence[ScopedLimits], name: str) -> Taken | None:
        """Charge the buckets and enter `name` among the running jobs; None where Redis is away: it is let through.

        Raises:
            ApiError: 503 where Redis has been away for too long.
        """
        now = time.monotonic()
        if self._away_since is not None and now - self._asked_at < ASK_AGAIN_SECONDS:
            _let_through(now - self._away_since)
            return None
        self._asked_at = now
        lease_us = int((settings.REQUEST_DEADLINE_SECONDS + LEASE_MARGIN_SECONDS) * 1e6)
        keys = [*(bucket.name for bucket in charges), *(each.jobs for each in jobs)]
        arguments: list[str | int] = [
            len(charges),
            WINDOW_US,
            name,
            lease_us,
            *charges.values(),
            *(each.concurrent_jobs for each in jobs),
        ]
        try:
            admitted, before = await self._scripts.run(_TAKE, keys, arguments)
        except redis.exceptions.OutOfMemoryError:
            raise no_room() from None
        except (redis.RedisError, TimeoutError, OSError) as error:
            log.warning("rate limits are not counted: %s", type(error).__name__)
            self._away_since = self._away_since or now
            _let_through(now - self._away_since)
            return None
        self._away_since = None
        return Taken(bool(admitted), list(before))

    async def give_back(self, limits: Sequence[ScopedLimits], corrections: Mapping[str, int], name: str) -> None:
        """Release the slot and correct the buckets; does nothing without a slot."""
        keys = [*corrections, *(each.jobs for each in limits)]
        try:
            await self._scripts.run(_GIVE_BACK, keys, [len(corrections), name, *corrections.values()])
        except (redis.RedisError, TimeoutError, OSError) as error:
            log.warning("a slot is left to its lease: %s", type(error).__name__)


def remaining(limits: Sequence[ScopedLimits]) -> list[dict[str, int] | None]:
    """What is left of each one's limits, by their names; nothing is taken. None where Redis is away."""
    buckets = list(chain.from_iterable(each.buckets for each in limits))
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS) as client:
            full_at: Any = client.mget([bucket.name for bucket in buckets])
            seconds, microseconds = client.time()
            now = seconds * 1_000_000 + microseconds
            running = [client.zcount(each.jobs, now, "+inf") for each in limits]
    except redis.RedisError:
        return [None] * len(limits)
    left = {
        bucket.name: bucket.remaining(max(int(moment or 0) - now, 0))
        for bucket, moment in zip(buckets, full_at, strict=True)
    }
    return [
        {
            REQUESTS.name: left[each.buckets[0].name],
            AUDIO.name: left[each.buckets[1].name] // FRAME_RATE,
            JOBS.name: max(0, each.concurrent_jobs - count),
        }
        for each, count in zip(limits, running, strict=True)
    ]


def _let_through(away_seconds: float) -> None:
    """Count a request that the limits do not. Raises ApiError when Redis has been away for too long."""
    if away_seconds > settings.ENVIRONMENT.rate_limit_grace_seconds:
        raise unavailable(
            "Rate limits cannot be checked right now. Please try again shortly.",
            code="rate_limits_unavailable",
            retry_after_seconds=2,
        )
    UNCOUNTED.inc()


def _refusal(
    jobs: Sequence[ScopedLimits],
    running: Sequence[int],
    charges: Mapping[Bucket, int],
    used: Sequence[int],
    so_far: Mapping[str, str],
) -> ApiError:
    """Name the limit that is to be waited for longest: after that wait no other one of this door refuses."""
    shown = {**so_far, **headers(list(charges), used)}
    waits = [
        (full + charge - WINDOW_US, bucket) for (bucket, charge), full in zip(charges.items(), used, strict=True)
    ]
    wait_us, bucket = max(waits, key=lambda pair: pair[0])
    if wait_us > 0:
        REFUSED.labels(bucket.unit).inc()
        return bucket_refusal(bucket, wait_us, shown)
    busy = next(each for each, count in zip(jobs, running, strict=True) if count >= each.concurrent_jobs)
    REFUSED.labels("concurrency").inc()
    return jobs_refusal(busy, shown)
