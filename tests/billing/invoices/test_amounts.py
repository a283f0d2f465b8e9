"""Rounding happens once a line, half to even, and credit never takes more or less than there is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoices.amounts import CENT, is_whole_cents, sum_up, tax_on, to_cents

NANO = Decimal("0.000000001")
exact = st.integers(0, 10**15).map(lambda nanos: nanos * NANO)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        ("0", "0.00"),
        ("0.000000001", "0.00"),
        ("0.004999999", "0.00"),
        ("0.005", "0.00"),
        ("0.005000001", "0.01"),
        ("0.014999999", "0.01"),
        ("0.015", "0.02"),
        ("0.025", "0.02"),
        ("0.035", "0.04"),
        ("12.345", "12.34"),
        ("12.345750", "12.35"),
        ("12.355", "12.36"),
        ("99999999999.995", "100000000000.00"),
    ],
)
def test_the_rounding_table(amount: str, cents: str) -> None:
    assert to_cents(Decimal(amount)) == Decimal(cents)


@pytest.mark.parametrize(
    ("net", "percent", "tax"),
    [
        ("100", "19", "19.00"),
        ("0.50", "5", "0.02"),
        ("1.50", "5", "0.08"),
        ("36.12", "8.875", "3.21"),
        ("7", "0", "0"),
    ],
)
def test_tax_is_rounded_once(net: str, percent: str, tax: str) -> None:
    assert tax_on(Decimal(net), Decimal(percent)) == Decimal(tax)


@pytest.mark.parametrize(
    ("exacts", "promotional", "owed", "expected"),
    [
        # Nothing but debt: what is asked for is the sum of the lines, each rounded.
        (["0.005", "0.015", "1"], "0", "9", ("1.02", "0", "0", "1.02")),
        # Credit that covers the exact sum covers the rounded one: three lines of $0.006 are shown as $0.03.
        (["0.006", "0.006", "0.006"], "0.018", "0", ("0.03", "0.03", "0", "0.00")),
        (["0.006", "0.006", "0.006"], "0", "0", ("0.03", "0", "0.03", "0.00")),
        (["0.006", "0.006", "0.006"], "0.006", "0", ("0.03", "0.01", "0.02", "0.00")),
        # Credit that covers a part is rounded like a line.
        (["10.5"], "2.3449", "5", ("10.50", "2.34", "3.16", "5.00")),
        # It never takes more than there is: two lines of $0.004 are shown as nothing.
        (["0.004", "0.004"], "0.0075", "0.0005", ("0.00", "0.00", "0", "0.00")),
        # More owed than the month was used for: the rest is of no usage, and is not asked for here.
        (["1"], "0.25", "50", ("1.00", "0.25", "0", "0.75")),
        ([], "0", "50", ("0", "0", "0", "0")),
    ],
)
def test_what_credit_pays(
    exacts: list[str], promotional: str, owed: str, expected: tuple[str, str, str, str]
) -> None:
    lines = [(Decimal(amount), to_cents(Decimal(amount))) for amount in exacts]
    sums = sum_up(lines, promotional_exact=Decimal(promotional), owed=Decimal(owed))
    assert (sums.subtotal, sums.promotional, sums.prepaid, sums.net) == tuple(map(Decimal, expected))


@given(st.lists(exact, max_size=40), st.fractions(0, 1), st.fractions(0, 2))
def test_sums_hold_whatever_the_lines(exacts: list[Decimal], given_part: object, owed_part: object) -> None:
    whole = sum(exacts, Decimal(0))
    promotional = (whole * given_part.numerator / given_part.denominator).quantize(NANO)  # type: ignore[attr-defined]
    owed = (whole * owed_part.numerator / owed_part.denominator).quantize(NANO)  # type: ignore[attr-defined]
    sums = sum_up([(e, to_cents(e)) for e in exacts], promotional_exact=promotional, owed=owed)
    assert sums.exact == whole
    assert all(map(is_whole_cents, (sums.subtotal, sums.promotional, sums.prepaid, sums.net)))
    assert min(sums.promotional, sums.prepaid, sums.net, sums.due_exact) >= 0
    assert sums.due_exact <= owed
    assert abs(sums.subtotal - sums.exact) <= len(exacts) * CENT / 2
    # What is asked for is off what is owed by the rounding of the lines and of the two credits, no more.
    assert abs(sums.net - sums.due_exact) <= (len(exacts) + 2) * CENT / 2
    if not sums.due_exact:
        assert sums.net == 0
