"""Weeks, quarters, halves, fiscal years and decades, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "2019-W05, 3Q, 1H24, 2H 2023",
        "week five of twenty nineteen, third quarter, the first half of twenty-four, the second half of twenty "
        "twenty-three",
    ),
    ("the 80's and '85-'87", "the eighties and eighty-five to eighty-seven"),
    ("00s music", "two thousands music"),
    ("40s and 50s, in their 30s", "forties and fifties, in their thirties"),
    ("early 00s", "early two thousands"),
    ("90's music, his 80's", "nineties music, his eighties"),
    ("the roaring 20s, Q3'26", "the roaring twenties, Q three twenty-six"),
    ("FY24-FY26, H2'24", "FY twenty-four to FY twenty-six, H two twenty-four"),
    ("50s diner, in 30s flat, in the 50s", "fifties diner, in thirty seconds flat, in the fifties"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_periods(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
