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
    (
        "10.30am, 9.15 pm, 4.30 a.m., 18.00 hrs, 10h30, 16h00, 1h30",
        "ten thirty AM, nine fifteen PM, four thirty AM, eighteen hundred, ten thirty, sixteen "
        "hundred, one thirty",
    ),
    (
        "1030 hrs, 0900 hours, at 0630",
        "ten thirty hours, oh nine hundred hours, at oh six thirty",
    ),
    (
        "It took 1:30:00. 00:30:00",
        "It took one hour thirty minutes. thirty minutes",
    ),
    (
        "1:01:01 and at 14:10:30",
        "one hour one minute and one second and at fourteen ten and thirty seconds",
    ),
    (
        "3 p.m. EST, 1:59 p.m.est",
        "three PM EST, one fifty-nine PM EST",
    ),
    (
        "3:4:5",
        "three to four to five",
    ),
    (
        "it's 5pm,4A.M.? Open 9A.M.-5P.M.",
        "it's five PM, four AM? Open nine AM to five PM.",
    ),
    ("5:30ish", "five thirty ish"),
    ("05:30 hrs", "five thirty hours"),
    ("noon-1pm, 11am-noon", "noon to one PM, eleven AM to noon"),
    (
        "1700h, 0800-1700, 0900–1000 hrs",
        "seventeen hundred hours, oh eight hundred to seventeen hundred, oh nine hundred to ten hundred hours",
    ),
    ("12:30:45 PM", "twelve thirty and forty-five seconds PM"),
    ("a 2:05:30 marathon", "a two hour five minute thirty second marathon"),
    (
        "14:30:00-05:30, 14:30+02:00, 14:30-15:00",
        "fourteen thirty UTC minus five thirty, fourteen thirty UTC plus two, fourteen thirty to fifteen hundred",
    ),
    ("10:30–11", "ten thirty to eleven"),
    ("500 mg q8h x 10 days", "five hundred milligrams every eight hours for ten days"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_times(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
