"""Times of day and durations, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("At 10:30am or 3pm.", "At ten thirty AM or three PM."),
    ("At 3 p.m. We left at 9 a.m. Monday.", "At three PM. We left at nine AM Monday."),
    (
        "The 14:05 and the 06:00 trains, 10:00 too.",
        "The fourteen oh five and the six o'clock trains, ten o'clock too.",
    ),
    ("From 9-5pm, or 9:00–17:30.", "From nine to five PM, or nine o'clock to seventeen thirty."),
    ("He ran it in 2:01:09.", "He ran it in two hours one minute and nine seconds."),
    (
        "It took 2h 30m, then 3:26.05.",
        "It took two hours thirty minutes, then three twenty-six point zero five.",
    ),
    ("Midnight is 00:00, 13:00 is 1 PM.", "Midnight is midnight, thirteen hundred is one PM."),
    ("5m 30s", "five minutes thirty seconds"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_times(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
