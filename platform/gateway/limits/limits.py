"""Which rate limits hold for a caller, and what is said of them: headers on every answer, and the refusal.

A limit a minute is a bucket that refills evenly (GCRA, https://brandur.org/rate-limiting). How full it is, is
counted in microseconds of refilling: 0 is untouched, `WINDOW_US` is used up, and it is that long until it is
untouched again. Audio is counted in tokens, as OpenAI's headers do: 25 are a second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from uuid import UUID

from accounts import limits
from accounts.keys import Principal
from gateway.errors import ApiError, rate_limited
from inference.audio import FRAME_RATE

WINDOW_US = 60_000_000
BUSY_RETRY_US = 1_000_000
"""The `retry-after` of a full concurrency limit: when a slot becomes free is unknown."""

REQUESTS, AUDIO, JOBS = (
    limits.find("requests"),
    limits.find("audio seconds"),
    limits.find("running requests"),
)
"""What the limiter keeps to."""
INPUT = limits.find("characters")
"""No rate: it is checked when a request is read."""

Scope = Literal["key", "organization"]
Unit = Literal["requests", "tokens"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit a minute."""

    scope: Scope
    unit: Unit
    name: str
    limit: int

    def price(self, units: int) -> int:
        """How long it takes to refill by `units`."""
        return units * WINDOW_US // self.limit

    def charge(self, units: int) -> int:
        """The tokens to take for `units`: at most a full bucket, or the request could never be admitted."""
        return min(self.price(units), WINDOW_US)

    def remaining(self, used: int) -> int:
        return max(0, (WINDOW_US - used) * self.limit // WINDOW_US)

    def __str__(self) -> str:
        if self.unit == "tokens":
            return f"{self.limit // FRAME_RATE} {AUDIO.unit}"
        return f"{self.limit} {REQUESTS.unit}"


@dataclass(frozen=True)
class ScopedLimits:
    """The limits of a key or of an organization, with the defaults where it has none of its own."""

    scope: Scope
    id: UUID
    values: Mapping[str, int]
    """By the names of `accounts.limits`."""

    @cached_property
    def buckets(self) -> tuple[Bucket, Bucket]:
        """Of requests, and of audio."""
        return (
            Bucket(self.scope, "requests", self._name("requests"), self.values[REQUESTS.name]),
            Bucket(self.scope, "tokens", self._name("tokens"), self.values[AUDIO.name] * FRAME_RATE),
        )

    @property
    def concurrent_jobs(self) -> int:
        return self.values[JOBS.name]

    @cached_property
    def jobs(self) -> str:
        """The name of the set of running requests."""
        return self._name("jobs")

    def _name(self, what: str) -> str:
        return f"limit:{self.scope}:{self.id.hex}:{what}"


def limits_of(principal: Principal) -> tuple[ScopedLimits, ScopedLimits]:
    """The key's and its organization's; both hold."""
    longest = {INPUT.name: input_characters(principal)}
    return (
        ScopedLimits("key", principal.key_id, _filled(principal.key_limits) | longest),
        ScopedLimits("organization", principal.organization_id, _filled(principal.organization_limits)),
    )


def input_characters(principal: Principal) -> int:
    """The longest text that a request of the caller may have."""
    return limits.input_characters(key=principal.key_limits, organization=principal.organization_limits)


def _filled(own: limits.Limits) -> dict[str, int]:
    """A value for each limit. A stored one is never 0, so that 0 cannot be taken for the default."""
    return {limit.name: own.get(limit.name) or limits.default(limit.name) for limit in limits.LIMITS}


def headers(buckets: Sequence[Bucket], used: Sequence[int]) -> dict[str, str]:
    """OpenAI's headers for the units of `buckets`; of the key's limit and the organization's, the one that leaves
    less."""
    shown = {}
    for unit in sorted({bucket.unit for bucket in buckets}):
        pairs = [(bucket, full) for bucket, full in zip(buckets, used, strict=True) if bucket.unit == unit]
        bucket, full = min(pairs, key=lambda pair: pair[0].remaining(pair[1]))
        shown[f"x-ratelimit-limit-{unit}"] = str(bucket.limit)
        shown[f"x-ratelimit-remaining-{unit}"] = str(bucket.remaining(full))
        shown[f"x-ratelimit-reset-{unit}"] = duration(full)
    return shown


def bucket_refusal(bucket: Bucket, wait_us: int, shown: dict[str, str]) -> ApiError:
    return _refusal(bucket.scope, str(bucket), bucket.unit, wait_us, shown)


def jobs_refusal(whose: ScopedLimits, shown: dict[str, str]) -> ApiError:
    what = f"{whose.concurrent_jobs} {JOBS.unit}"
    return _refusal(whose.scope, what, "concurrency", BUSY_RETRY_US, shown)


def _refusal(scope: Scope, what: str, kind: str, wait_us: int, shown: dict[str, str]) -> ApiError:
    whose = "this API key" if scope == "key" else "your organization"
    retry = {"retry-after": str(math.ceil(wait_us / 1e6)), "retry-after-ms": str(math.ceil(wait_us / 1e3))}
    return rate_limited(
        f"Rate limit reached for {whose}: {what}. Please try again in {duration(wait_us)}.",
        type=kind,
        headers={**shown, **retry},
    )


def duration(microseconds: int) -> str:
    """As Go writes it, in whole milliseconds rounded up: "0s", "12ms", "1.5s", "6m0s"."""
    milliseconds = math.ceil(microseconds / 1000)
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{milliseconds / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds
