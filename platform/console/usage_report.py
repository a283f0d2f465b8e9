"""The data of the usage page: sums and their changes, four charts, and the table behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from console import formatting
from console.charts import Chart, Number, Series
from console.periods import Period
from usage import rollups, usage
from usage.usage import Group, Query, UsageBucket
from usage.usage_table import KeyNames

MOST_SERIES = 5
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum of the period, and its change vs. the previous period."""

    name: str
    value: str
    exact: str
    """With all digits, for a tooltip."""
    note: str
    change: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table, under the name of its step or group."""

    name: str
    line: UsageBucket
    permille: int = 0
    """Of the whole cost."""

    @property
    def p50(self) -> int | None:
        return self.line.percentile(50)

    @property
    def p95(self) -> int | None:
        return self.line.percentile(95)

    @property
    def percent(self) -> str:
        return f"{self.permille // 10} %"


class UsageReport:
    """One organization's usage of a period, split by a group if one is named."""

    def __init__(self, organization_id: UUID, period: Period, group: Group | None = None) -> None:
        self.period = period
        self.group = group
        self.query = Query(
            organization_id=organization_id,
            start=period.start,
            end=period.end,
            bucket=period.bucket,
            group_by=(group,) if group else (),
        )
        rollups.refresh(organization_id=organization_id)
        self.lines = usage.report(self.query)
        self._before = usage.total(
            usage.report(replace(self.query, start=period.before.start, end=period.before.end, group_by=()))
        )

    @cached_property
    def total(self) -> UsageBucket:
        return usage.total(self.lines)

    @cached_property
    def names(self) -> KeyNames:
        return KeyNames(self.query.organization_id)

    @property
    def figures(self) -> list[Figure]:
        now, before = self.total, self._before
        succeeded = Decimal(now.requests - now.errors)
        failed = f"{formatting.count(now.errors)} failed" if now.errors else "none failed"
        return [
            Figure(
                "Audio",
                formatting.minutes(now.duration_ms),
                f"{now.duration_ms:,} ms",
                f"{formatting.minutes(now.duration_ms / succeeded)} per request" if succeeded else "",
                _change(now, before, "duration_ms"),
            ),
            Figure(
                "Cost",
                formatting.dollars(now.cost),
                f"${now.cost.normalize():f}",
                f"{formatting.small_cost(now.cost / succeeded)} per request" if succeeded else "",
                _change(now, before, "cost"),
            ),
            Figure("Requests", formatting.count(now.requests), "", failed, _change(now, before, "requests")),
            Figure(
                "Latency",
                formatting.latency(now.percentile(50)),
                "",
                f"p95 {formatting.latency(now.percentile(95))}",
                formatting.change(now.percentile(50), before.percentile(50)),
            ),
        ]

    @property
    def charts(self) -> list[Chart]:
        by_step = {row.line.start: row.line for row in self.steps}
        latency = [
            Series(f"p{percent}", [by_step[at].percentile(percent) for at in self._steps]) for percent in (50, 95)
        ]
        succeeded = Series("succeeded", [by_step[at].requests - by_step[at].errors for at in self._steps])
        failed = Series("failed", [by_step[at].errors for at in self._steps])
        counted = [succeeded, failed] if self.group is None else self._split(lambda line: line.requests)
        sums = {figure.name: figure.value for figure in self.figures}
        steps = [row.name for row in self.steps]
        audio = self._split(lambda line: line.duration_ms)
        cost = self._split(lambda line: line.cost)
        return [
            Chart(title="Audio", total=sums["Audio"], shape="bars", unit="ms", steps=steps, series=audio),
            Chart(title="Cost", total=sums["Cost"], shape="bars", unit="usd", steps=steps, series=cost),
            Chart(
                title="Requests", total=sums["Requests"], shape="bars", unit="count", steps=steps, series=counted
            ),
            Chart(title="Latency", total=sums["Latency"], shape="lines", unit="ms", steps=steps, series=latency),
        ]

    @cached_property
    def steps(self) -> list[Row]:
        """A row per time step, empty if it had no requests."""
        sums: dict[datetime | None, list[UsageBucket]] = {}
        for line in self.lines:
            sums.setdefault(line.start, []).append(line)
        rows = []
        for at in self._steps:
            whole = usage.total(sums.get(at, ()))
            whole.start = at
            rows.append(Row(self.period.label(at), whole))
        return rows

    @property
    def whole(self) -> Row:
        return Row("All", self.total)

    @cached_property
    def groups(self) -> list[Row]:
        """A row per group, the most expensive first."""
        sums: dict[Any, list[UsageBucket]] = {}
        for line in self.lines:
            sums.setdefault(line.group, []).append(line)
        rows = [self._group_row(group, usage.total(lines)) for group, lines in sums.items()]
        return sorted(rows, key=lambda row: (-row.line.cost, -row.line.requests, row.name))

    @cached_property
    def _steps(self) -> list[datetime]:
        return list(self.period.steps())

    def _group_row(self, group: tuple[Any, ...], line: UsageBucket) -> Row:
        line.group = group
        permille = int(line.cost * 1000 / self.total.cost) if self.total.cost else 0
        return Row(self._name(group), line, permille)

    def _name(self, group: tuple[Any, ...]) -> str:
        [value] = group
        if self.group != "key":
            return str(value) or f"no {self.group}"
        key = self.names.shown(value)
        return f"{key['key_name']} ({key['key']})" if key["key_name"] else key["key"]

    def _split(self, measure: Callable[[UsageBucket], Number]) -> Sequence[Series]:
        """The sums per step; by group, the largest groups have a series each."""
        if self.group is None:
            return [Series("all", [measure(row.line) for row in self.steps])]
        own = [row.line.group for row in self.groups[:MOST_SERIES]]
        values: dict[tuple[Any, ...] | None, dict[datetime | None, Number]] = {}
        for line in self.lines:
            of = values.setdefault(line.group if line.group in own else None, {})
            of[line.start] = of.get(line.start, Decimal(0)) + measure(line)
        series = [Series(self._name(group), self._over_time(values.get(group, {}))) for group in own]
        return [*series, Series(OTHERS, self._over_time(values[None]))] if None in values else series

    def _over_time(self, values: dict[datetime | None, Number]) -> list[Number]:
        return [values.get(at, 0) for at in self._steps]


def _change(now: UsageBucket, before: UsageBucket, member: str) -> str:
    return formatting.change(getattr(now, member), getattr(before, member))
