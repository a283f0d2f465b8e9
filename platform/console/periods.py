"""The time range that a page shows, and its steps. Days are in UTC, as on the bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.http import QueryDict
from django.utils import timezone

from usage.usage import Bucket

NAMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", "12m": "12 months"}
DEFAULT = "30d"
MOST_DAYS = 366


class BadPeriod(Exception):
    """An invalid range; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` to `end` (exclusive)."""

    name: str
    """One of `NAMES`, or `custom`."""
    start: datetime
    end: datetime
    bucket: Bucket

    @property
    def before(self) -> Period:
        """The period of the same length that ends where this one begins."""
        if self.bucket == "month":
            start = self.start.replace(year=self.start.year - 1)
        else:
            start = self.start - (self.end - self.start)
        return Period(name=self.name, start=start, end=self.start, bucket=self.bucket)

    @property
    def last_day(self) -> date:
        return (self.end - timedelta(microseconds=1)).date()

    def steps(self) -> Iterator[datetime]:
        """The start of each hour, day or month in it."""
        at = self.start
        while at < self.end:
            yield at
            at = at + timedelta(hours=1) if self.bucket == "hour" else _midnight(at.date() + timedelta(days=1))
            if self.bucket == "month" and at.day != 1:
                at = _next_month(at)

    def label(self, at: datetime) -> str:
        """The label of a step on an axis."""
        return f"{at:{'%H:%M' if self.bucket == 'hour' else '%b %Y' if self.bucket == 'month' else '%b %-d'}}"


def parse(query: QueryDict) -> Period:
    """The period that `range`, or `start` and `end` as dates, ask for. Raises BadPeriod."""
    if query.get("start") or query.get("end"):
        return _custom(query.get("start", ""), query.get("end", ""))
    return _named(query.get("range") or DEFAULT)


def default() -> Period:
    return _named(DEFAULT)


def _named(name: str) -> Period:
    hour = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    tomorrow = _midnight(hour.date() + timedelta(days=1))
    match name:
        case "24h":
            end = hour + timedelta(hours=1)
            return Period(name=name, start=end - timedelta(hours=24), end=end, bucket="hour")
        case "7d" | "30d" | "90d":
            start = tomorrow - timedelta(days=int(name.removesuffix("d")))
            return Period(name=name, start=start, end=tomorrow, bucket="day")
        case "12m":
            end = _next_month(hour)
            return Period(name=name, start=end.replace(year=end.year - 1), end=end, bucket="month")
    raise BadPeriod(f"There is no range {name!r}: choose one of {', '.join(NAMES)}.")


def _custom(first: str, last: str) -> Period:
    try:
        start, end = _midnight(date.fromisoformat(first)), _midnight(date.fromisoformat(last)) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise BadPeriod("Choose a first and a last day, such as 2026-11-01.") from None
    if start >= end:
        raise BadPeriod("The last day must not be before the first.")
    if end - start > timedelta(days=MOST_DAYS) or start.year < 2000:
        raise BadPeriod(f"At most {MOST_DAYS} days at a time can be shown.")
    bucket: Bucket = "hour" if end - start <= timedelta(days=2) else "day"
    if end - start > timedelta(days=92):
        bucket = "month"
    return Period(name="custom", start=start, end=end, bucket=bucket)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _next_month(at: datetime) -> datetime:
    return _midnight((at.date().replace(day=1) + timedelta(days=32)).replace(day=1))
