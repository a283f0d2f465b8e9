"""Reading the rollups: what an organization used, by time, key, model and voice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import DateTimeField, F, Func, Q, Sum, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Trunc
from django.utils import timezone

from usage.models import LATENCY_BASE, UsageRollup

PERCENTILES = (50, 95, 99)

Bucket = Literal["hour", "day", "month", "total"]
Group = Literal["key", "model", "voice"]
Costs = dict[Any, Decimal]
COLUMNS: dict[Group, str] = {"key": "api_key_id", "model": "model", "voice": "voice"}


def _joined(column: str) -> Coalesce:
    """A column of arrays as one list with commas."""
    each = Func(F(column), Value(","), function="array_to_string", output_field=TextField())
    text = StringAgg(each, ",", filter=~Q(latency_bins=[]))
    return Coalesce(text, Value(""), output_field=TextField())


_SUMS = {
    "all_requests": Sum("requests"),
    "all_errors": Sum("errors"),
    "all_milliseconds": Sum("duration_ms"),
    "all_cost": Sum("cost"),
    "all_bins": _joined("latency_bins"),
    "all_counts": _joined("latency_counts"),
}


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

    @property
    def moment(self) -> Combinable:
        """The start of the bucket that a rollup falls into."""
        if self.bucket == "total":
            return Value(None, output_field=DateTimeField(null=True))
        return F("start") if self.bucket == self.period else Trunc("start", self.bucket, tzinfo=UTC)


@dataclass(slots=True)
class UsageBucket:
    """Sums over a bucket of time (None: over all of it) and one value of each column that was grouped by."""

    start: datetime | None = None
    group: tuple[Any, ...] = ()
    requests: int = 0
    errors: int = 0
    duration_ms: int = 0
    cost: Decimal = Decimal(0)
    latency: Counter[int] = field(default_factory=Counter)

    def add(self, other: UsageBucket) -> None:
        self.requests += other.requests
        self.errors += other.errors
        self.duration_ms += other.duration_ms
        self.cost += other.cost
        self.latency.update(other.latency)

    def percentile(self, percent: int) -> int | None:
        """Milliseconds, within 5 %: the geometric middle of the bin it lies in."""
        number = self.latency.total()
        seen = 0
        for bin in sorted(self.latency):
            seen += self.latency[bin]
            if seen * 100 >= number * percent:
                return int(LATENCY_BASE ** (bin + 0.5) + 0.5)
        return None


def report(query: Query) -> list[UsageBucket]:
    """The lines, by time and then by group; what has no request has no line.

    PostgreSQL sums the numbers up. The histograms of a line come as one text and are added here: it would take
    longer to unfold them row by row, and we would to make an object of each rollup.
    """
    rows = UsageRollup.objects.filter(
        organization_id=query.organization_id, period=query.period, start__gte=query.start, start__lt=query.end
    )
    for column, wanted in (("api_key_id", query.keys), ("model", query.models), ("voice", query.voices)):
        if wanted:
            rows = rows.filter(**{f"{column}__in": wanted})
    columns = [COLUMNS[group] for group in query.group_by]
    sums = rows.annotate(moment=query.moment).values("moment", *columns).annotate(**_SUMS)
    found = sums.filter(all_requests__isnull=False).values_list("moment", *columns, *_SUMS)
    found = found.order_by("moment", *columns)
    return [_line(moment, *row) for moment, *row in found]


def _line(start: datetime | None, *row: Any) -> UsageBucket:
    *group, requests, errors, duration_ms, cost, bins, counts = row
    return UsageBucket(start, tuple(group), requests, errors, duration_ms, cost, _histogram(bins, counts))


def _histogram(bins: str, counts: str) -> Counter[int]:
    """Counts by bin, of two lists that belong together: "7,8,7" and "1,5,2" are {7: 3, 8: 5}."""
    if not bins:
        return Counter()
    import numpy as np  # by the first who asks for latencies: it takes a gateway 20 MB

    numbers = np.fromstring(bins, np.int64, sep=",")
    total = np.bincount(numbers, weights=np.fromstring(counts, np.int64, sep=","))
    return Counter({int(bin): int(total[bin]) for bin in np.flatnonzero(total)})


def total(lines: Iterable[UsageBucket]) -> UsageBucket:
    whole = UsageBucket()
    for line in lines:
        whole.add(line)
    return whole


def costs(*, organization_id: UUID, start: datetime, end: datetime, by: Literal["start", "api_key_id"]) -> Costs:
    """Dollars of whole days, by day or by key: no more than the money, which PostgreSQL sums up at once."""
    rows = UsageRollup.objects.filter(
        organization_id=organization_id, period="day", start__gte=start, start__lt=end, cost__gt=0
    )
    return dict(rows.values_list(by).annotate(Sum("cost")).order_by(by))


def spent(*, organization_id: UUID, api_key_id: UUID | None = None) -> dict[str, Decimal]:
    """What this day and this month (UTC) have cost so far: the organization, or one key of it."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = UsageRollup.objects.filter(
        organization_id=organization_id, period="day", start__gte=today.replace(day=1)
    )
    if api_key_id is not None:
        rows = rows.filter(api_key_id=api_key_id)
    found = rows.aggregate(
        month=Sum("cost", default=Decimal(0)),
        today=Sum("cost", filter=Q(start=today), default=Decimal(0)),
    )
    return {"today": found["today"], "month": found["month"]}
