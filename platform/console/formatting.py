"""How figures are written for people. Exact amounts stand where the bill is derived; elsewhere they are short."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from billing import pricing

MS_PER_MINUTE = 60_000
CENT = Decimal("0.01")


def dollars(amount: Decimal | int) -> str:
    """Cents from a dollar on, four places below, and what is smaller than a cent in full: "$12.50", "$0.0375"."""
    amount = Decimal(amount)
    sign, size = ("−" if amount < 0 else ""), abs(amount)
    if size < 1:
        size = size.quantize(Decimal("0.0001")) if size >= Decimal("0.01") else size
        whole, _, places = pricing.show(size).partition(".")
        return f"{sign}${whole}.{places.rstrip('0'):0<2}"
    return f"{sign}${size.quantize(CENT, rounding=ROUND_HALF_EVEN):,f}"


def funds(amount: Decimal) -> str:
    """What is there to be spent, in whole cents, never more than there is."""
    return f"{'−' if amount < 0 else ''}${abs(amount.quantize(CENT, rounding=ROUND_FLOOR)):,f}"


def small_cost(amount: Decimal) -> str:
    """A request's cost, in a column of others: five places hold a frame of 40 ms at the list price."""
    return f"${amount.quantize(Decimal('0.00001'), rounding=ROUND_HALF_EVEN):,f}"


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
    return "–" if ms is None else minutes(ms)


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
