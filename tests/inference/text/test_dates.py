"""Dates, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("Sept 2021 was dry", "September twenty twenty-one was dry"),
    ("On 2024-05-01 we met.", "On May first, twenty twenty-four we met."),
    (
        "On May 3, 2026 and 3 May 2026.",
        "On May third, twenty twenty-six and the third of May, twenty twenty-six.",
    ),
    (
        "Due 5/3/2026 or 12/25/99.",
        "Due May third, twenty twenty-six or December twenty-fifth, nineteen ninety-nine.",
    ),
    ("It was 25/12/2024.", "It was December twenty-fifth, twenty twenty-four."),
    ("Sept. 11, 2001 and Jan. 5", "September eleventh, two thousand and one and January fifth"),
    ("the 3rd of March, 1999", "the third of March, nineteen ninety-nine"),
    (
        "May 3–5, 2026 and 3-5 May 2026",
        "May third to fifth, twenty twenty-six and the third to the fifth of May, twenty twenty-six",
    ),
    ("March 2024 was cold.", "March twenty twenty-four was cold."),
    ("On 5/3 we leave.", "On May third we leave."),
    ("On 03.05.2026 it ended.", "On the third of May, twenty twenty-six it ended."),
    ("At 2024-01-01T10:00:00Z", "At January first, twenty twenty-four, ten o'clock UTC"),
    ("Open Mon-Fri, and Sat 10am.", "Open Monday to Friday, and Saturday ten AM."),
    ("It opens in Sept. We wait from May–June.", "It opens in September. We wait from May to June."),
    ("Wed., Mar. 22", "Wednesday, March twenty-second"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_dates(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
