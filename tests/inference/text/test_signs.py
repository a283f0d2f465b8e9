"""Signs that belong to what they touch, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "GMT-5 UTC-8 EST (UTC-5) UTC−05:00 UTC+5:30 GMT+1",
        "GMT minus five UTC minus eight EST, UTC minus five, UTC minus five UTC plus five thirty GMT plus one",
    ),
    (
        "C- student, A- grade, D-. BBB- and AB- O- Rh-",
        "C minus student, A minus grade, D minus. BBB minus and AB negative O negative Rh negative",
    ),
    (
        "blood types B+ and A-",
        "blood types B positive and A negative",
    ),
    (
        "-pi and -x and 2 -2",
        "minus pi and minus x and two minus two",
    ),
    (
        "+/- 5, +/-5%, >= 5, == 5, ~$5, ~5 km, ~10%",
        "plus or minus five, plus or minus five percent, at least five, equals five, about five "
        "dollars, about five kilometers, about ten percent",
    ),
    (
        "$-20, $-5, EUR -50, $ -3.50",
        "minus twenty dollars, minus five dollars, minus fifty euros, minus three dollars and fifty cents",
    ),
    (
        "5 - 3",
        "five minus three",
    ),
    (
        "A* and an A* grade, *Plan A*",
        "A star and an A star grade, Plan A",
    ),
    ("Use foo==1.2.3, or x<=5", "Use foo equals one point two point three, or x is at most five"),
    ("T-5 minutes; a T-34 tank", "T minus five minutes; a T thirty-four tank"),
    ("-∞ to ∞, −√2", "minus infinity to infinity, minus square root of two"),
    ("(≥18), x ≥ 5, a≤3", "at least eighteen, x is at least five, a is at most three"),
    ("Cl- and OH-, n-1, x-1", "Cl minus and OH minus, n minus one, x minus one"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_signs(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
