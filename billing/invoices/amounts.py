"""The one rounding of the bill, and how credit pays a rounded sum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def to_cents(exact: Decimal) -> Decimal:
    """An exact amount in whole cents, half even: 0.005 is 0.00, and 0.015 is 0.02."""
    return exact.quantize(CENT, rounding=ROUND_HALF_EVEN)


def is_whole_cents(amount: Decimal) -> bool:
    return amount == to_cents(amount)


def tax_on(net: Decimal, percent: Decimal) -> Decimal:
    """The tax on an invoice's net sum, rounded once."""
    return to_cents(net * percent / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a draft's lines come to. `*exact` is to the nano-dollar, the rest in whole cents."""

    exact: Decimal
    subtotal: Decimal
    promotional_exact: Decimal
    promotional: Decimal
    prepaid: Decimal
    due_exact: Decimal

    @property
    def net(self) -> Decimal:
        return self.subtotal - self.promotional - self.prepaid


def sum_up(lines: Iterable[tuple[Decimal, Decimal]], *, promotional_exact: Decimal, owed: Decimal) -> Sums:
    """Sum lines (exact, amount) up and take off what credit has paid.

    What is owed is at most what promotional credit did not pay. Credit that covers the exact sum covers the
    rounded one too; else each credit is rounded like a line, and takes no more than there is.
    """
    pairs = list(lines)
    exact = sum((pair[0] for pair in pairs), Decimal(0))
    subtotal = sum((pair[1] for pair in pairs), Decimal(0))
    due_exact = min(owed, exact - promotional_exact)
    prepaid_exact = exact - promotional_exact - due_exact
    promotional = min(to_cents(promotional_exact), subtotal)
    prepaid = min(to_cents(prepaid_exact), subtotal - promotional)
    if not due_exact:
        if prepaid_exact:
            prepaid = subtotal - promotional
        else:
            promotional = subtotal
    return Sums(
        exact=exact,
        subtotal=subtotal,
        promotional_exact=promotional_exact,
        promotional=promotional,
        prepaid=prepaid,
        due_exact=due_exact,
    )
