"""Dollars as Stripe counts them: whole cents."""

from __future__ import annotations

from decimal import Decimal

CURRENCY = "usd"


def to_cents(amount: Decimal) -> int:
    """Whole cents. Raises ValueError for an amount that has a fraction of one."""
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"amount: ${amount.normalize():f} is not whole cents")
    return int(cents)


def from_cents(cents: int) -> Decimal:
    return Decimal(cents) / 100
