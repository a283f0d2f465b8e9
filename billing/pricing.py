"""The price book and the one formula that turns milliseconds into dollars."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from billing.models import Price

NANO_DOLLAR = Decimal("0.000000001")
MILLISECONDS_PER_MINUTE = 60_000


def cost(*, duration_ms: int, dollars_per_minute: Decimal) -> Decimal:
    """Dollars for `duration_ms` of audio, to the nano-dollar.

    Exact for every price of up to four decimals and whole 40 ms frames, as $0.045 is (750 nano-dollars a
    millisecond); what a finer price leaves below a nano-dollar is rounded half even, once, here.
    """
    exact = dollars_per_minute * duration_ms / MILLISECONDS_PER_MINUTE
    return exact.quantize(NANO_DOLLAR, rounding=ROUND_HALF_EVEN)


def price_at(*, model: str, at: datetime) -> Price | None:
    """The price of `model` that is valid at a moment."""
    return Price.objects.filter(model=model, valid_from__lte=at).order_by("-valid_from").first()


def show(amount: Decimal) -> str:
    """An amount as a decimal string of nine places, for people and for JSON: "0.045000000"."""
    return f"{amount.quantize(NANO_DOLLAR):f}"
