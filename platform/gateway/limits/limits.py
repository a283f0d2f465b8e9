"""Which rate limits hold for a caller, and what is said of them: headers on every answer, and the refusal.

A limit a minute is a bucket that refills evenly (GCRA, https://brandur.org/rate-limiting). How full it is, is
counted in microseconds of refilling: 0 is untouched, `WINDOW_US` is used up, and it is that long until it is
untouched again. Audio is counted in tokens, as OpenAI's headers do: 25 are a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.conf import settings

from accounts.keys import Principal
from gateway.errors import ApiError, rate_limited
from inference.audio import FRAME_RATE

WINDOW_US = 60_000_000
BUSY_RETRY_US = 1_000_000
"""What a client is told to wait for a slot: when one becomes free, nobody knows."""

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
        """What is taken for `units`: never more than a full bucket, or what is above could never be had."""
        return min(self.price(units), WINDOW_US)

    def remaining(self, used: int) -> int:
        return max(0, (WINDOW_US - used) * self.limit // WINDOW_US)

    def __str__(self) -> str:
        if self.unit == "tokens":
            return f"{self.limit // FRAME_RATE} seconds of audio per minute"
        return f"{self.limit} requests per minute"


@dataclass(frozen=True, slots=True)
class ScopedLimits:
    """The limits of a key or of an organization, with the settings' defaults where it has none of its own."""

    scope: Scope
    id: UUID
    requests_per_minute: int
    audio_seconds_per_minute: int
    concurrent_jobs: int

    @property
    def buckets(self) -> tuple[Bucket, Bucket]:
        return (
            Bucket(self.scope, "requests", self._name("requests"), self.requests_per_minute),
            Bucket(self.scope, "tokens", self._name("tokens"), self.audio_seconds_per_minute * FRAME_RATE),
        )

    @property
    def jobs(self) -> str:
        """The name of the set of running requests."""
        return self._name("jobs")

    def _name(self, what: str) -> str:
        return f"limit:{self.scope}:{self.id.hex}:{what}"


def limits_of(principal: Principal) -> tuple[ScopedLimits, ScopedLimits]:
    """The key's and its organization's; both hold."""
    return (
        ScopedLimits("key", principal.key_id, *_filled(principal.key_limits)),
        ScopedLimits("organization", principal.organization_id, *_filled(principal.organization_limits)),
    )


def _filled(own: Sequence[int | None]) -> Iterator[int]:
    return (
        default if value is None else value for value, default in zip(own, settings.DEFAULT_LIMITS, strict=True)
    )


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


def jobs_refusal(limits: ScopedLimits, shown: dict[str, str]) -> ApiError:
    what = f"{limits.concurrent_jobs} requests at a time"
    return _refusal(limits.scope, what, "concurrency", BUSY_RETRY_US, shown)


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
