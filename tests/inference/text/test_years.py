"""Years and decades, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "In 1984, 1500 people and 2000 users met.",
        "In nineteen eighty-four, one thousand five hundred people and two thousand users met.",
    ),
    (
        "From 1914–1918 and 1939-45 until 2005.",
        "From nineteen fourteen to nineteen eighteen and nineteen thirty-nine to forty-five until two "
        "thousand and five.",
    ),
    ("In 1066 or 476 AD", "In ten sixty-six or four seventy-six AD"),
    (
        "The 1990s, the '80s, the 90s, 2010s and mid-1800s.",
        "The nineteen nineties, the eighties, the nineties, twenty tens and mid-eighteen hundreds.",
    ),
    ("Class of '05 and '99.", "Class of oh five and ninety-nine."),
    ("She is in her 20s.", "She is in her twenties."),
    ("The 1900s and 2000s", "The nineteen hundreds and two thousands"),
    (
        "90s music, 80s hits, 70s disco, 60s style, an 80s band, a 30s timer",
        "nineties music, eighties hits, seventies disco, sixties style, an eighties band, a thirty second timer",
    ),
    (
        "1960s-80s, 1960s-1980s and 1980 s",
        "nineteen sixties to eighties, nineteen sixties to nineteen eighties and nineteen eighties",
    ),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_years(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
