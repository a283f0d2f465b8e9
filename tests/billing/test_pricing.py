"""The one formula, against amounts worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing import pricing
from billing.models import Price


@pytest.mark.parametrize(
    ("duration_ms", "price", "cost"),
    [
        (0, "0.045", "0"),
        (1, "0.045", "0.00000075"),
        (40, "0.045", "0.00003"),
        (1_000, "0.045", "0.00075"),
        (3_000, "0.045", "0.00225"),
        (15_000, "0.045", "0.01125"),
        (60_000, "0.045", "0.045"),
        (3_600_000, "0.045", "2.70"),
        (40, "0.000001", "0.000000001"),  # 0.667 nano-dollars, up
        (40, "0.0000015", "0.000000001"),
        (30, "0.000001", "0.000000000"),  # exactly half: to the even nano-dollar
        (90, "0.000001", "0.000000002"),  # exactly one and a half: to the even one
    ],
)
def test_cost(duration_ms: int, price: str, cost: str) -> None:
    exact = pricing.cost(duration_ms=duration_ms, dollars_per_minute=Decimal(price))
    assert exact == Decimal(cost)
    assert exact.as_tuple().exponent == -9


def test_ten_million_frames_are_three_hundred_dollars() -> None:
    frame = pricing.cost(duration_ms=40, dollars_per_minute=Decimal("0.045"))
    assert frame * 10_000_000 == 300


@pytest.mark.django_db
def test_a_later_price_takes_over_at_its_moment() -> None:
    model, change = "boson/higgs-audio-v2.5", datetime(2027, 1, 1, tzinfo=UTC)
    Price.objects.create(model=model, dollars_per_minute=Decimal("0.05"), valid_from=change)

    def at(*moment: int) -> Decimal:
        price = pricing.price_at(model=model, at=datetime(*moment, tzinfo=UTC))  # type: ignore[misc,arg-type]
        assert price is not None
        return price.dollars_per_minute

    assert at(2026, 12, 31, 23, 59, 59) == Decimal("0.045")
    assert at(2027, 1, 1) == Decimal("0.05")
    assert pricing.price_at(model=model, at=datetime(2020, 1, 1, tzinfo=UTC)) is None
    assert pricing.price_at(model="tts-1", at=change) is None


def test_amounts_are_shown_with_nine_places() -> None:
    assert pricing.show(Decimal("0.045")) == "0.045000000"
    assert pricing.show(Decimal("1E-9")) == "0.000000001"
    assert pricing.show(Decimal(0)) == "0.000000000"
