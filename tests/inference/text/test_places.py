"""Streets and towns, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "708 N 1st St, San City",
        "seven oh eight North First Street, San City",
    ),
    (
        "123 Smth St, City, NY",
        "one twenty-three Smth Street, City, New York",
    ),
    (
        "1211 E Arques Ave and 12 S 1st st",
        "twelve eleven East Arques Avenue and twelve South First Street",
    ),
    (
        "2788 San Tomas Expy, Santa Clara, CA 95051",
        "twenty-seven eighty-eight San Tomas Expressway, Santa Clara, California nine five zero five one",
    ),
    ("Hwy 61, Rte. 66, US-101 N", "Highway sixty-one, Route sixty-six, US one oh one North"),
    (
        "PO Box 4567, Bldg 5, Rm 12, 21st Fl",
        "PO Box forty-five sixty-seven, Building five, Room twelve, twenty-first Floor",
    ),
    ("Mt. Vernon, WA", "Mount Vernon, Washington"),
    ("Sure, OK. He lives in Tulsa, OK.", "Sure, OK. He lives in Tulsa, Oklahoma."),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_places(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
