"""Dates, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("You may 10 times; we march 10 km.", "You may ten times; we march ten kilometers."),
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
    (
        "2026-11, 11/2026, 01/2027, exp. 12/27, valid thru 09/28",
        "November twenty twenty-six, November twenty twenty-six, January twenty twenty-seven, "
        "expires December twenty-seven, valid through September twenty-eight",
    ),
    (
        "26-Nov-2026, 05-Jan-2025, 1-Apr-24, 26/Nov/2026",
        "the twenty-sixth of November, twenty twenty-six, the fifth of January, twenty "
        "twenty-five, the first of April, twenty twenty-four, the twenty-sixth of November, "
        "twenty twenty-six",
    ),
    (
        "by 12/25, from 3/1 to 4/15, 7/4 parade, 9/1 deadline, 1/15–1/20",
        "by December twenty-fifth, from March first to April fifteenth, July fourth parade, "
        "September first deadline, January fifteenth to January twentieth",
    ),
    (
        "FY2025-26, Q1/2026, 2026Q3, Q1-Q3, FY25/26, 2Q22",
        "FY twenty twenty-five to twenty-six, Q one twenty twenty-six, Q three twenty "
        "twenty-six, Q one to Q three, FY twenty-five to twenty-six, the second quarter of "
        "twenty-two",
    ),
    (
        "March 10 miles north. May 5 people enter?",
        "March ten miles north. May five people enter?",
    ),
    (
        "Mon/Wed/Fri, Fri 13th, Jan 1st '26",
        "Monday, Wednesday, Friday, Friday thirteenth, January first, twenty twenty-six",
    ),
    (
        "Open Mon.–Fri.",
        "Open Monday to Friday.",
    ),
    (
        "by Fri.",
        "by Friday.",
    ),
    (
        "on Sat.",
        "on Saturday.",
    ),
    (
        "Wed. and Oct.",
        "Wednesday and October.",
    ),
    (
        "jan. 15, 25 july 2012, JAN 15 2020, Jan-15-2020, 25 sept.",
        "January fifteenth, the twenty-fifth of July, twenty twelve, January fifteenth, twenty "
        "twenty, January fifteenth, twenty twenty, the twenty-fifth of September.",
    ),
    (
        "340 A.D",
        "three forty AD",
    ),
    (
        "the 2011-12 season",
        "the twenty eleven to twelve season",
    ),
    ("15-01-2020", "the fifteenth of January, twenty twenty"),
    ("12 / 25 / 2024", "December twenty-fifth, twenty twenty-four"),
    ("In March 30 soldiers died", "In March thirty soldiers died"),
    ("Mon-Wed-Fri, July/August", "Monday, Wednesday, Friday, July, August"),
    ("the 7/4 weekend, 2/14 dinner", "the July fourth weekend, February fourteenth dinner"),
    ("2026/07, exp 5/26", "July twenty twenty-six, expires May twenty-six"),
    ("June 1 to 5", "June first to fifth"),
    ("Mon, Wed & Fri", "Monday, Wednesday and Friday"),
    ("Dec '24, M-F", "December twenty-four, Monday to Friday"),
    ("31/12", "December thirty-first"),
    ("on 25/12, due 15/8, I wrote 07/04", "on December twenty-fifth, due August fifteenth, I wrote July fourth"),
    (
        "12/24–26, Jan 1–Feb 2, exp 05/27",
        "December twenty-fourth to twenty-sixth, January first to February second, expires May twenty-seven",
    ),
    ("18th-19th centuries, 3rd qtr", "eighteenth to nineteenth centuries, third quarter"),
    ("w/c 5 May, b. 5/12/90", "week commencing the fifth of May, born May twelfth, nineteen ninety"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_dates(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
