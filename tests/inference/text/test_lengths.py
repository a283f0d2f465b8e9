"""Lengths in feet and inches, and angles, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ('36"-wide, 11 in tall, 5ft10', "thirty-six-inch-wide, eleven inches tall, five foot ten"),
    ("5' 11½\"", "five feet eleven and a half inches"),
    ('3½" floppy, an 8\'6" ceiling', "three and a half inch floppy, an eight foot six inch ceiling"),
    (
        '5\'3½", 2½\', 8½" × 11"',
        "five feet three and a half inches, two and a half feet, eight and a half by eleven inches",
    ),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_lengths(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
