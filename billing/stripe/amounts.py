"""Dollars as Stripe counts them: whole cents."""

from __future__ import annotations

from decimal import Decimal

CURRENCY = "usd"
SMALLEST, LARGEST = Decimal("5.00"), Decimal("10000.00")
"""What a card is charged at once, in dollars. Stripe's own bounds are $0.50 and $999,999.99."""


def to_cents(amount: Decimal) -> int:
    """Whole cents. Raises ValueError for an amount that has a fraction of one."""
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"amount: ${amount.normalize():f} is not whole cents")
    return int(cents)


def to_charge(amount: Decimal) -> int:
    """Whole cents of what a card may be charged. Raises ValueError for an amount that is none of these."""
    if not SMALLEST <= amount <= LARGEST:
        raise ValueError(f"amount: from ${SMALLEST} to ${LARGEST}")
    return to_cents(amount)


def from_cents(cents: int) -> Decimal:
    return Decimal(cents) / 100
