"""Reading the rollups: what an organization used, by time, key, model and voice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db import models
from django.utils import timezone

from gateway.models import UsageRollup

BIN_BASE = 1.1
PERCENTILES = (50, 95, 99)

Bucket = Literal["hour", "day", "month", "total"]
Group = Literal["key", "model", "voice"]
Costs = dict[Any, Decimal]
COLUMNS: dict[Group, str] = {"key": "api_key_id", "model": "model", "voice": "voice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which usage: from `start` up to, and without, `end`, both on whole hours; a filter with no value is none."""

    organization_id: UUID
    start: datetime
    end: datetime
    bucket: Bucket = "day"
    group_by: tuple[Group, ...] = ()
    keys: tuple[UUID, ...] = ()
    models: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()

    @property
    def period(self) -> str:
        """Which rollups are read: days wherever they suffice."""
        return "hour" if self.bucket == "hour" or self.start.hour or self.end.hour else "day"

    def bucket_of(self, start: datetime) -> datetime | None:
        """The bucket that a rollup falls into."""
        match self.bucket:
            case "hour":
                return start
            case "day":
                return start.replace(hour=0)
            case "month":
                return start.replace(day=1, hour=0)
            case "total":
                return None


@dataclass(slots=True)
class Line:
    """Sums over a bucket of time (None: over all of it) and one value of each column that was grouped by."""

    start: datetime | None = None
    group: tuple[Any, ...] = ()
    requests: int = 0
    errors: int = 0
    duration_ms: int = 0
    cost: Decimal = Decimal(0)
    latency: Counter[int] = field(default_factory=Counter)

    def add(
        self,
        requests: int,
        errors: int,
        duration_ms: int,
        cost: Decimal,
        bins: Iterable[int],
        counts: Iterable[int],
    ) -> None:
        self.requests += requests
        self.errors += errors
        self.duration_ms += duration_ms
        self.cost += cost
        for bin, count in zip(bins, counts, strict=True):
            self.latency[bin] += count

    def percentile(self, percent: int) -> int | None:
        """Milliseconds, within 5 %: the geometric middle of the bin it lies in."""
        number = self.latency.total()
        seen = 0
        for bin in sorted(self.latency):
            seen += self.latency[bin]
            if seen * 100 >= number * percent:
                return int(BIN_BASE ** (bin + 0.5) + 0.5)
        return None


def report(query: Query) -> list[Line]:
    """The lines, by time and then by group; what has no request has no line.

    The rows are few, so they are summed up here; PostgreSQL would take longer to unfold the histograms.
    """
    rows = UsageRollup.objects.filter(
        organization_id=query.organization_id, period=query.period, start__gte=query.start, start__lt=query.end
    )
    for column, wanted in (("api_key_id", query.keys), ("model", query.models), ("voice", query.voices)):
        if wanted:
            rows = rows.filter(**{f"{column}__in": wanted})
    sums = ("requests", "errors", "duration_ms", "cost", "latency_bins", "latency_counts")
    lines: dict[tuple[Any, ...], Line] = {}
    for start, *row in rows.values_list("start", *sums, *(COLUMNS[group] for group in query.group_by)):
        moment, group = query.bucket_of(start), tuple(row[len(sums) :])
        line = lines.get((moment, group))
        if line is None:
            line = lines[moment, group] = Line(moment, group)
        line.add(*row[: len(sums)])
    return [lines[key] for key in sorted(lines)]


def total(lines: Iterable[Line]) -> Line:
    whole = Line()
    for line in lines:
        whole.add(
            *(line.requests, line.errors, line.duration_ms, line.cost),
            *(line.latency.keys(), line.latency.values()),
        )
    return whole


def costs(*, organization_id: UUID, start: datetime, end: datetime, by: Literal["start", "api_key_id"]) -> Costs:
    """Dollars of whole days, by day or by key: no more than the money, which PostgreSQL sums up at once."""
    rows = UsageRollup.objects.filter(
        organization_id=organization_id, period="day", start__gte=start, start__lt=end, cost__gt=0
    )
    return dict(rows.values_list(by).annotate(models.Sum("cost")).order_by(by))


def spent(*, organization_id: UUID, api_key_id: UUID | None = None) -> dict[str, Decimal]:
    """What this day and this month (UTC) have cost so far: the organization, or one key of it."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = UsageRollup.objects.filter(
        organization_id=organization_id, period="day", start__gte=today.replace(day=1)
    )
    if api_key_id is not None:
        rows = rows.filter(api_key_id=api_key_id)
    found = rows.aggregate(
        month=models.Sum("cost", default=Decimal(0)),
        today=models.Sum("cost", filter=models.Q(start=today), default=Decimal(0)),
    )
    return {"today": found["today"], "month": found["month"]}
