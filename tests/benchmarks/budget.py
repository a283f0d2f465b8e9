"""How much of its full work each benchmark does. BENCH_BUDGET=0.01 makes a benchmark take moments; its figures are
then worth nothing, but it has run from end to end."""

from __future__ import annotations

import os
from typing import TypeVar

Value = TypeVar("Value")


def _read(value: str) -> float:
    try:
        budget = float(value)
    except ValueError:
        budget = 0
    if not 0 < budget <= 1:
        raise SystemExit(f"BENCH_BUDGET: a number above 0 and up to 1, not {value}")
    return budget


BUDGET = _read(os.environ.get("BENCH_BUDGET", "1"))
LEAST_SECONDS = 0.2


def seconds(full: float) -> float:
    return max(LEAST_SECONDS, full * BUDGET)


def number(full: int, *, least: int = 1) -> int:
    return max(least, round(full * BUDGET))


def first_of(full: tuple[Value, ...]) -> tuple[Value, ...]:
    """The first of the sizes to measure, which are rising."""
    return full[: number(len(full))]
