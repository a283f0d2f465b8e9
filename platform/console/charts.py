"""Charts as SVG that the server draws: no script, in the page's own colours, with the numbers in a table beside.

A drawing is `WIDTH` x `HEIGHT` units, stretched to whatever room there is; text is set outside of it, in HTML, so
that it is never stretched. Heights are whole units, worked out in exact numbers: money passes through here too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 1000, 240
GAP = Decimal("0.25")
"""Of a bar's room, what stays empty."""

DURATION_TOPS = [s * 1000 for s in (2, 4, 10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600, 7200, 14400, 36000)]

Number = int | Decimal
Format = Callable[[Number], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One value a step; None where there is none."""

    name: str
    values: Sequence[Number | None]


@dataclass(frozen=True, slots=True)
class Bar:
    series: int
    x: Decimal
    y: int
    width: Decimal
    height: int


@dataclass(frozen=True, slots=True)
class Column:
    """A step: its bars, and what is said of it when it is pointed at."""

    x: Decimal
    width: Decimal
    title: str
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    title: str
    total: str
    legend: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: tuple[str, ...] = ()
    """SVG paths, one a series."""
    ticks: tuple[str, ...]
    """The axis from top to bottom."""
    labels: tuple[str, ...]
    """First, middle and last step."""
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def middle(self) -> int:
        return self.height // 2

    @property
    def empty(self) -> bool:
        return not self.lines and not any(column.bars for column in self.columns)


def bars(
    *,
    title: str,
    total: str,
    steps: Sequence[str],
    series: Sequence[Series],
    show: Format,
    top_of: Callable[[Decimal], Decimal] | None = None,
) -> Chart:
    """Stacked bars, the first series at the bottom; `top_of` the highest is where the axis ends."""
    sums = [sum((each.values[i] or 0 for each in series), start=Decimal(0)) for i in range(len(steps))]
    top = (top_of or _round_up)(max(map(Decimal, sums), default=Decimal(0)))
    room = Decimal(WIDTH) / max(len(steps), 1)
    columns = []
    for i, step in enumerate(steps):
        stacked, drawn = Decimal(0), []
        for number, each in enumerate(series):
            value = each.values[i] or 0
            low, high = _height(stacked, top), _height(stacked + value, top)
            if value:
                high = max(high, low + 2)  # what is there is seen
                drawn.append(
                    Bar(number, _fine((i + GAP / 2) * room), HEIGHT - high, _fine(room * (1 - GAP)), high - low)
                )
            stacked += value
        said = [f"{each.name} {show(each.values[i] or 0)}" for each in series if each.values[i]] or [show(0)]
        columns.append(Column(_fine(i * room), _fine(room), f"{step}: {', '.join(said)}", tuple(drawn)))
    return Chart(
        title=title,
        total=total,
        legend=tuple(each.name for each in series) if len(series) > 1 else (),
        columns=tuple(columns),
        ticks=(show(top), show(top / 2), show(0)),
        labels=_ends(steps),
    )


def lines(*, title: str, total: str, steps: Sequence[str], series: Sequence[Series], show: Format) -> Chart:
    """A line a series, broken where a step has no value."""
    top = _round_up(max((Decimal(v) for each in series for v in each.values if v is not None), default=Decimal(0)))
    room = Decimal(WIDTH) / max(len(steps), 1)
    columns = []
    for i, step in enumerate(steps):
        said = [f"{each.name} {show(value)}" for each in series if (value := each.values[i]) is not None]
        columns.append(Column(_fine(i * room), _fine(room), f"{step}: {', '.join(said) or 'no requests'}"))
    paths = tuple(_path(each, room, top) for each in series)
    return Chart(
        title=title,
        total=total,
        legend=tuple(each.name for each in series),
        columns=tuple(columns),
        lines=paths if any(paths) else (),
        ticks=(show(top), show(top / 2), show(0)),
        labels=_ends(steps),
    )


def duration_top(ms: Decimal) -> Decimal:
    """Where an axis of milliseconds ends: on whole seconds or minutes that halve well."""
    return next((Decimal(top) for top in DURATION_TOPS if top >= ms), _round_up(ms))


def _path(series: Series, room: Decimal, top: Decimal) -> str:
    parts, drawing = [], False
    for i, value in enumerate(series.values):
        if value is not None:
            point = f"{_fine((i + Decimal('0.5')) * room)} {HEIGHT - _height(Decimal(value), top)}"
            parts.append(f"L{point}" if drawing else f"M{point}h0")  # a lone point is a dot
        drawing = value is not None
    return "".join(parts)


def _height(value: Decimal, top: Decimal) -> int:
    return int(value * HEIGHT / top) if top else 0


def _round_up(value: Decimal) -> Decimal:
    """The next of 1, 2, 5, 10, 20, …, which an axis can end at."""
    if value <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(value.adjusted())
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _fine(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"))


def _ends(steps: Sequence[str]) -> tuple[str, ...]:
    return (steps[0], steps[len(steps) // 2], steps[-1]) if len(steps) > 2 else tuple(steps)
