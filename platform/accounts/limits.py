"""How much an organization or a key may ask for: the one table of limits, and access to their values.

The limiter, the console's and the operator's forms, `set_limits`, `GET /v1/key` and the reference page read this
table. A further limit is an entry here, and a column of `accounts.models.Limited` and a field of
`config.environment` that have its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.conf import settings

if TYPE_CHECKING:
    from accounts.models import ApiKey, Organization

Counted = Literal["requests", "audio seconds", "running requests", "characters"]
SCOPES: tuple[Literal["key", "organization"], ...] = ("key", "organization")
"""What has limits. Each limit holds for a key and, separately, for all keys of its organization together."""
MINIMUM = 1
"""A key that may ask for nothing is revoked instead; the database refuses less, too."""
MAXIMUM = 2**31 - 1
"""What the columns hold."""
MAX_INPUT_CHARACTERS = 100_000
"""A chapter of a book; no organization may send a longer text in one request."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One limit. Its value is stored on the key and on the organization; null is the default."""

    name: str
    """Of the columns, of the setting that gives the default, of the API's members and the command's option."""
    counts: Counted
    label: str
    """Of a form's field."""
    unit: str
    """What a number of it is, as a refusal says it: "60 requests per minute"."""
    default: int
    """Where the environment sets no other one."""
    about: str
    """For the reference: what is counted, and when."""
    most: int = MAXIMUM
    """The highest value that it may have."""

    @property
    def option(self) -> str:
        """Of a command: `--requests-per-minute`."""
        return f"--{self.name.replace('_', '-')}"


LIMITS: tuple[RateLimit, ...] = (
    RateLimit(
        name="requests_per_minute",
        counts="requests",
        label="Requests a minute",
        unit="requests per minute",
        default=6_000,
        about="Every request counts when it arrives, whatever becomes of it.",
    ),
    RateLimit(
        name="audio_seconds_per_minute",
        counts="audio seconds",
        label="Seconds of audio a minute",
        unit="seconds of audio per minute",
        default=60_000,
        about="A request counts as the longest audio it may make; what it did not make is given back at its end.",
    ),
    RateLimit(
        name="concurrent_jobs",
        counts="running requests",
        label="Requests at a time",
        unit="requests at a time",
        default=100,
        about="A request counts from its arrival to the end of its answer.",
    ),
    RateLimit(
        name="input_characters",
        counts="characters",
        label="Characters a request",
        unit="characters per request",
        default=4_096,
        most=MAX_INPUT_CHARACTERS,
        about="A longer text is refused with 400. A key without a limit of its own has its organization's.",
    ),
)
Limits = Mapping[str, int | None]
"""Values by the limits' names; None, or a name that is missing, is the default."""


def find(counts: Counted) -> RateLimit:
    """The limit on what is counted."""
    return next(limit for limit in LIMITS if limit.counts == counts)


def default(name: str) -> int:
    """The default of a limit in this installation."""
    value: int = getattr(settings.ENVIRONMENT, name)
    return value


def input_characters(*, key: Limits, organization: Limits) -> int:
    """The longest text of a request with the key. Unlike a rate, an organization's holds for its keys, too."""
    name = find("characters").name
    shared = organization.get(name) or default(name)
    return min(key.get(name) or shared, shared)


def of(subject: Organization | ApiKey) -> dict[str, int | None]:
    """The limits that a key or an organization has of its own."""
    return {limit.name: getattr(subject, limit.name) for limit in LIMITS}


def put(subject: Organization | ApiKey, **values: int | None) -> None:
    """Set the limits that are given; None is the default. The gateway applies them within a second."""
    type(subject)._default_manager.filter(pk=subject.pk).update(**values)
