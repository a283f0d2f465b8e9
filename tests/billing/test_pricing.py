"""The one formula, against amounts worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
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


@pytest.mark.django_db
@given(
    st.integers(0, 10**10),
    st.decimals(0, 1000, places=9),
    st.sampled_from([1, 2, 40, 1000]),
    st.integers(0, 10**6),
)
def test_the_databases_formula_is_the_same(ms: int, price: Decimal, step: int, few: int) -> None:
    with connection.cursor() as cursor:
        for duration_ms in (ms, few, few * step):
            cursor.execute("SELECT billing_cost(%s, %s)", (duration_ms, price))
            (in_sql,) = cursor.fetchone()
            assert in_sql == pricing.cost(duration_ms=duration_ms, dollars_per_minute=price)
            half = Decimal(few) / 1_000_000  # a price of six places, at 30 ms on the half of a nano-dollar or near
            cursor.execute("SELECT billing_cost(%s, %s)", (30, half))
            assert cursor.fetchone() == (pricing.cost(duration_ms=30, dollars_per_minute=half),)


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


@pytest.mark.django_db
def test_an_organizations_own_price_comes_before_everybodys_and_ends() -> None:
    model = "boson/higgs-audio-v2.5"
    organization, other = (Organization.objects.create(name=name) for name in "AB")
    Price.objects.create(
        model=model,
        organization=organization,
        dollars_per_minute=Decimal("0.03"),
        valid_from=datetime(2026, 2, 1, tzinfo=UTC),
        valid_to=datetime(2026, 3, 1, tzinfo=UTC),
    )

    def at(whose: Organization | None, *moment: int) -> Decimal:
        moment_at = datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]
        price = pricing.price_at(model=model, at=moment_at, organization_id=whose.pk if whose else None)
        assert price is not None
        return price.dollars_per_minute

    assert at(organization, 2026, 1, 31, 23, 59, 59) == Decimal("0.045")
    assert at(organization, 2026, 2, 1) == Decimal("0.03")
    assert at(organization, 2026, 2, 28, 23, 59, 59) == Decimal("0.03")
    assert at(organization, 2026, 3, 1) == Decimal("0.045")
    assert at(other, 2026, 2, 1) == at(None, 2026, 2, 1) == Decimal("0.045")


def test_amounts_are_shown_with_nine_places() -> None:
    assert pricing.show(Decimal("0.045")) == "0.045000000"
    assert pricing.show(Decimal("1E-9")) == "0.000000001"
    assert pricing.show(Decimal(0)) == "0.000000000"
