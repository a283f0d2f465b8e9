"""Schemas of what an organization has used: usage, logged requests, and a key's limits, spend and credit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, create_model

from accounts.limits import LIMITS
from gateway.reference.answers import Answer


class Latency(Answer):
    """Milliseconds that successful requests took, to the end of the answer; null if there are none."""

    p50: int | None
    p95: int | None
    p99: int | None


class UsageSums(Answer):
    requests: int
    """Successful and failed requests."""
    errors: int
    """Failed requests."""
    duration_ms: int
    """Generated audio, in milliseconds."""
    cost_usd: str
    """Exact cost in US dollars, with nine decimal places."""
    latency_ms: Latency


class UsageLine(UsageSums):
    start: str
    """Start of the time bucket."""
    key: str | None = None
    """With `group_by=key`: the key's id."""
    key_name: str | None = None
    """With `group_by=key`: the key's name."""
    model: str | None = None
    """With `group_by=model`; empty for requests that named no known model."""
    voice: str | None = None
    """With `group_by=voice`; empty for requests that named no known voice."""


class Usage(Answer):
    object: Literal["list"]
    start: str
    """Start of the range, included."""
    end: str
    """End of the range, excluded."""
    bucket: Literal["hour", "day", "month", "total"]
    group_by: list[Literal["key", "model", "voice"]]
    data: list[UsageLine]
    """One line per time bucket and group that has requests."""
    total: UsageSums
    """Over the whole range."""


class RequestError(Answer):
    code: str
    message: str
    param: str | None


class RequestTimings(Answer):
    queue_ms: int | None
    first_audio_ms: int | None
    synthesis_ms: int | None
    total_ms: int


class LoggedRequest(Answer):
    id: str
    object: Literal["request"]
    created_at: str
    method: str
    route: str
    status: int
    error: RequestError | None
    model: str | None
    voice: str | None
    format: str | None
    characters: int | None
    service_tier: str | None
    """`default`, `priority` or `flex`; null where no speech was asked for."""
    audio_id: str | None
    audio_seconds: float | None
    audio_expires_at: str | None
    audio_deleted_at: str | None
    """When audio, codes and transcript were deleted."""
    cost_usd: str | None
    """Exact cost in US dollars, with nine decimal places; null where no audio was asked for."""
    timings: RequestTimings


class Limit(Answer):
    limit: int
    remaining: int | None
    """Null while the counters are unavailable."""


if TYPE_CHECKING:

    class Limits(Answer):
        """A member for each limit of `accounts.limits`."""

else:

    class _Described(Answer):
        model_config = ConfigDict(use_attribute_docstrings=False)  # there is no source, which is long looked for

    Limits = create_model(
        "Limits",
        __base__=_Described,
        **{limit.name: (Limit, Field(description=f"{limit.label}. {limit.about}")) for limit in LIMITS},
    )


class BothLimits(Answer):
    key: Limits
    organization: Limits


class Spend(Answer):
    today: str
    """US dollars since midnight UTC."""
    month: str
    """US dollars since the first of the month, UTC."""


class BothSpends(Answer):
    key: Spend
    organization: Spend


class KeyBudget(Answer):
    scope: Literal["key", "organization"]
    period: Literal["day", "month", "total"]
    limit: str
    spent: str
    held: str
    """Reserved by running requests."""
    remaining: str


class Credit(Answer):
    balance: str
    promotional: str
    """The part of the balance that was given, not bought."""
    held: str
    """Reserved by running requests."""
    available: str
    """The balance and the credit limit, less what is reserved."""


class Key(Answer):
    object: Literal["key"]
    id: str
    name: str
    created_at: str
    expires_at: str | None
    organization: dict[str, Any]
    limits: BothLimits
    spend_usd: BothSpends
    budgets: list[KeyBudget]
    """The budgets that apply to this key."""
    credit_usd: Credit
