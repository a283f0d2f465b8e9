"""How figures are written for people: short, except where the bill is derived."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

MS_PER_MINUTE = 60_000
MINUTES_PER_HOUR = 60
CENT = Decimal("0.01")
FRAME = Decimal("0.00001")
"""A frame of 40 ms costs $0.00003 at the list price."""


def dollars(amount: Decimal | int) -> str:
    """Whole cents, and all from a dollar on, with two places, else five, which line up: "$12.50", "$0.03750"."""
    amount = Decimal(amount)
    sign, size = ("−" if amount < 0 else ""), abs(amount)
    place = CENT if size >= 1 or size == size.quantize(CENT) else FRAME
    return f"{sign}${size.quantize(place, rounding=ROUND_HALF_EVEN):,f}"


def funds(amount: Decimal) -> str:
    """What can be spent, in whole cents, rounded down."""
    return f"{'−' if amount < 0 else ''}${abs(amount.quantize(CENT, rounding=ROUND_FLOOR)):,f}"


def small_cost(amount: Decimal) -> str:
    """A request's cost, in a column of others: "$0.00075"."""
    return f"${amount.quantize(FRAME, rounding=ROUND_HALF_EVEN):,f}"


def minutes(duration_ms: Decimal | int) -> str:
    """A duration: "840 ms", "12.4 s", "3 min 20 s", "20 h 4 min"."""
    ms = Decimal(duration_ms)
    if ms < 1000:
        return f"{int(ms)} ms" if ms else "0 s"
    if ms < MS_PER_MINUTE:
        return f"{_short(ms / 1000)} s"
    whole, rest = divmod(int(ms), MS_PER_MINUTE)
    if whole >= MINUTES_PER_HOUR:
        hours, whole = divmod(whole, MINUTES_PER_HOUR)
        return f"{hours:,} h {whole} min" if whole else f"{hours:,} h"
    return f"{whole} min {rest // 1000} s" if rest >= 1000 else f"{whole} min"


def latency(ms: Decimal | int | None) -> str:
    """A time that was measured in whole milliseconds."""
    if ms is None:
        return "–"
    return minutes(ms) if ms else "<1 ms"


def count(number: Decimal | int) -> str:
    """With thousands separators; empty for half a request, which only an axis has."""
    return f"{int(number):,}" if number == int(number) else ""


def bytes_(size: int) -> str:
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def change(now: Decimal | int | None, before: Decimal | int | None) -> str:
    """The change in percent; empty if there is nothing to compare with."""
    if not before or now is None:
        return ""
    percent = round((Decimal(now) - before) * 100 / before)
    return f"{'+' if percent > 0 else '−' if percent < 0 else '±'}{abs(percent):,} %"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%b %-d, %Y, %H:%M:%S} UTC"


def day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%b %-d, %Y}"


def _short(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.1')):f}".removesuffix(".0")
