"""Charts as SVG that the server draws: no script, in the page's own colours, with the numbers in a table beside.

A drawing is `WIDTH` x `HEIGHT` units, stretched to whatever room there is; text is set outside of it, in HTML, so
that it is never stretched. Heights are whole units, worked out in exact numbers: money passes through here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

WIDTH, HEIGHT = 1000, 240
GAP = Decimal("0.25")
"""Of a bar's room, what stays empty."""
LEAST = 2
"""Units high is what there is the least of, to be seen."""

DURATION_TOPS = [s * 1000 for s in (2, 4, 10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600, 7200, 14400, 36000)]

Number = int | Decimal
Format = Callable[[Number], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One value a step; None where there is none."""

    name: str
    values: Sequence[Number | None]


@dataclass(frozen=True, slots=True)
class Column:
    """A step's room, and what is said of it when it is pointed at. Strings, for a page has hundreds of them."""

    x: str
    width: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    title: str
    total: str
    shape: Literal["bars", "lines"]
    paths: tuple[str, ...]
    """What SVG draws for each series."""
    legend: tuple[str, ...]
    columns: tuple[Column, ...]
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
        return not any(self.paths)


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
    highest = max((Decimal(sum(values)) for values in _by_step(series)), default=Decimal(0))
    top = (top_of or _round_up)(highest)
    room = Decimal(WIDTH) / max(len(steps), 1)
    paths, stacked = [], [Decimal(0)] * len(steps)
    for each in series:
        drawn = []
        for i, value in enumerate(each.values):
            if value:
                low, high = _height(stacked[i], top), _height(stacked[i] + value, top)
                high = max(high, low + LEAST)
                drawn.append(_bar((i + GAP / 2) * room, low, room * (1 - GAP), high))
                stacked[i] += value
        paths.append("".join(drawn))
    said = [
        ", ".join(f"{each.name} {show(value)}" for each in series if (value := each.values[i])) or show(0)
        for i in range(len(steps))
    ]
    return Chart(
        title=title,
        total=total,
        shape="bars",
        paths=tuple(paths),
        legend=tuple(each.name for each in series) if len(series) > 1 else (),
        columns=_columns(steps, room, said),
        ticks=(show(top), show(top / 2), show(0)),
        labels=_ends(steps),
    )


def lines(*, title: str, total: str, steps: Sequence[str], series: Sequence[Series], show: Format) -> Chart:
    """A line a series, broken where a step has no value."""
    top = _round_up(max((Decimal(v) for each in series for v in each.values if v is not None), default=Decimal(0)))
    room = Decimal(WIDTH) / max(len(steps), 1)
    said = [
        ", ".join(f"{each.name} {show(value)}" for each in series if (value := each.values[i]) is not None)
        or "no requests"
        for i in range(len(steps))
    ]
    return Chart(
        title=title,
        total=total,
        shape="lines",
        paths=tuple(_line(each, room, top) for each in series),
        legend=tuple(each.name for each in series),
        columns=_columns(steps, room, said),
        ticks=(show(top), show(top / 2), show(0)),
        labels=_ends(steps),
    )


def _by_step(series: Sequence[Series]) -> Iterator[list[Number]]:
    return ([value or 0 for value in values] for values in zip(*(each.values for each in series), strict=True))


def _columns(steps: Sequence[str], room: Decimal, said: Sequence[str]) -> tuple[Column, ...]:
    width = str(_fine(room))
    return tuple(
        Column(str(_fine(i * room)), width, f"{step}: {words}")
        for i, (step, words) in enumerate(zip(steps, said, strict=True))
    )


def _bar(x: Decimal, low: int, width: Decimal, high: int) -> str:
    return f"M{_fine(x)} {HEIGHT - low}v{low - high}h{_fine(width)}v{high - low}z"


def duration_top(ms: Decimal) -> Decimal:
    """Where an axis of milliseconds ends: on whole seconds or minutes that halve well."""
    return next((Decimal(top) for top in DURATION_TOPS if top >= ms), _round_up(ms))


def _line(series: Series, room: Decimal, top: Decimal) -> str:
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
