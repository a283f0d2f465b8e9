"""How figures are written for people. Exact amounts stand where the bill is derived; elsewhere they are short."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from billing import pricing

MS_PER_MINUTE = 60_000


def dollars(amount: Decimal | int) -> str:
    """Cents from a dollar on, four places below, and what is smaller than a cent in full: "$12.50", "$0.0375"."""
    amount = Decimal(amount)
    sign, size = ("−" if amount < 0 else ""), abs(amount)
    if size == 0:
        return "$0.00"
    if size < Decimal("0.01"):
        return f"{sign}${pricing.show(size).rstrip('0')}"
    places = Decimal("0.01") if size >= 1 else Decimal("0.0001")
    return f"{sign}${size.quantize(places, rounding=ROUND_HALF_EVEN):,f}"


def minutes(duration_ms: Decimal | int) -> str:
    """Audio's length: "840 ms", "12.4 s", "3 min 20 s", "1,204 min"."""
    ms = Decimal(duration_ms)
    if ms < 1000:
        return f"{int(ms)} ms" if ms else "0 s"
    if ms < MS_PER_MINUTE:
        return f"{_short(ms / 1000)} s"
    whole, rest = divmod(int(ms), MS_PER_MINUTE)
    return f"{whole:,} min" if whole >= 100 or rest < 1000 else f"{whole} min {rest // 1000} s"


def latency(ms: Decimal | int | None) -> str:
    if ms is None:
        return "–"
    return f"{int(ms)} ms" if ms < 1000 else f"{_short(Decimal(ms) / 1000)} s"


def count(number: Decimal | int) -> str:
    """Thousands apart; half a request is not named."""
    return f"{int(number):,}" if number == int(number) else ""


def bytes_(size: int) -> str:
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def change(now: Decimal | int | None, before: Decimal | int | None) -> str:
    """How much more or less than before, in percent; nothing where there is nothing to compare with."""
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
