"""What a page tells `charts.js` to draw: numbers and their unit. How they are drawn is the script's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """One value a step; None where there is none."""

    name: str
    values: Sequence[Number | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars are stacked, the first series at the bottom; a line is broken where a step has no value."""

    title: str
    total: str
    shape: Literal["bars", "lines"]
    unit: Literal["ms", "usd", "count"]
    steps: Sequence[str]
    series: Sequence[Series]

    @property
    def empty(self) -> bool:
        return not any(value for each in self.series for value in each.values)

    @property
    def data(self) -> dict[str, Any]:
        """For JSON, where an amount of money is a string, with all its places."""
        return {
            "shape": self.shape,
            "unit": self.unit,
            "steps": self.steps,
            "series": [{"name": each.name, "values": each.values} for each in self.series],
        }
