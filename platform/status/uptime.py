"""What the status page shows: each component now, its last days, and its outages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from status.models import Component, Day, Outage
from status.probes import INTERVAL_SECONDS, KINDS, Kind

DAYS = 90
STALE = timedelta(seconds=3 * INTERVAL_SECONDS)
"""Older measurements do not say how the component is now."""


@dataclass(frozen=True, slots=True)
class OneDay:
    """A day as a bar shows it."""

    date: date
    probes: int = 0
    failures: int = 0

    @property
    def uptime(self) -> Decimal | None:
        return percent(self.probes, self.failures)

    @property
    def level(self) -> str:
        """`none` was measured, `good` without failures, `bad` from one failure in twenty, else `some`."""
        if not self.probes:
            return "none"
        if not self.failures:
            return "good"
        return "bad" if self.failures * 20 >= self.probes else "some"


@dataclass(frozen=True, slots=True)
class State:
    """A component on the page."""

    kind: Kind
    ok: bool | None
    """None if the last probe is too old."""
    since: datetime | None
    days: list[OneDay]
    uptime: Decimal | None


@dataclass(frozen=True, slots=True)
class Incident:
    kind: Kind
    began_at: datetime
    ended_at: datetime | None

    @property
    def lasted(self) -> str:
        """The duration, so far if it is ongoing: "5 min", "2 h 5 min"."""
        minutes = round(((self.ended_at or timezone.now()) - self.began_at) / timedelta(minutes=1))
        hours, minutes = divmod(max(1, minutes), 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def percent(probes: int, failures: int) -> Decimal | None:
    """Percent of successful probes, to two places, rounded down, so that 100 means no failures."""
    return Decimal((probes - failures) * 10_000 // probes) / 100 if probes else None


def states(now: datetime | None = None) -> list[State]:
    """Every component with its last days, oldest first, in two queries."""
    now = now or timezone.now()
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    seen = {row.name: row for row in Component.objects.all()}
    found = {(day.component, day.date): day for day in Day.objects.filter(date__gte=first, date__lte=today)}
    return [_state(kind, seen.get(kind.name), found, first, now) for kind in KINDS]


def incidents(now: datetime | None = None) -> list[Incident]:
    """The outages of the days shown, newest first."""
    kinds = {kind.name: kind for kind in KINDS}
    since = (now or timezone.now()) - timedelta(days=DAYS)
    rows = Outage.objects.filter(began_at__gte=since, component__in=kinds).order_by("-began_at")
    return [Incident(kinds[row.component], row.began_at, row.ended_at) for row in rows]


def _state(
    kind: Kind, seen: Component | None, found: dict[tuple[str, date], Day], first: date, now: datetime
) -> State:
    days = []
    for number in range(DAYS):
        day = found.get((kind.name, first + timedelta(days=number)))
        days.append(OneDay(first + timedelta(days=number), *((day.probes, day.failures) if day else (0, 0))))
    uptime = percent(sum(day.probes for day in days), sum(day.failures for day in days))
    if seen is None or now - _moment(seen) > STALE:
        return State(kind, None, None, days, uptime)
    return State(kind, seen.ok, seen.since, days, uptime)


def _moment(seen: Component) -> datetime:
    return datetime.fromtimestamp(seen.slot * INTERVAL_SECONDS, UTC)
