"""Roman numerals, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("Chapter IV, Part I and Act III, scene ii.", "Chapter four, Part one and Act three, scene two."),
    (
        "Henry VIII, Louis XIV and Elizabeth I of England.",
        "Henry the eighth, Louis the fourteenth and Elizabeth the first of England.",
    ),
    ("World War II and Super Bowl LVIII", "World War two and Super Bowl fifty-eight"),
    ("Appendix C and I think Mary I saw", "Appendix C and I think Mary I saw"),
    ("John Paul II's XL shirt", "John Paul the second's XL shirt"),
    (
        "David X. Li. James V. Smith, John X. Doe, Malcolm X spoke. Peter V gave up. Robert X; Albert V; Adrian V",
        "David X Li. James V Smith, John X Doe, Malcolm X spoke. Peter V gave up. Robert X; Albert V; Adrian V",
    ),
    (
        "Paul I, too, agree. King James V, Henry V died. Charles V.",
        "Paul I, too, agree. King James the fifth, Henry the fifth died. Charles the fifth.",
    ),
    (
        "the XIX century, XIXth century, MMXXVI, XIX-XX centuries",
        "the nineteenth century, nineteenth century, twenty twenty-six, nineteenth to twentieth centuries",
    ),
    (
        "i. first, ii. second",
        "one, first, two, second",
    ),
    (
        "PART XL",
        "PART forty",
    ),
    (
        "Sam II met John D. Rockefeller III and Thurston Howell III.",
        "Sam the second met John D Rockefeller the third and Thurston Howell the third.",
    ),
    (
        "Final Fantasy VII, Rocky II, Apollo XIII, Star Wars Episode V",
        "Final Fantasy seven, Rocky two, Apollo thirteen, Star Wars Episode five",
    ),
    (
        "type II diabetes, stage IV cancer, a phase III trial",
        "type two diabetes, stage four cancer, a phase three trial",
    ),
    (
        "Start IV fluids. Michael IV drip. The II Corps. See VI",
        "Start IV fluids. Michael IV drip. The II Corps. See VI",
    ),
    (
        "World Wars I and II, Chapters II and III, a Mk II amp",
        "World Wars one and two, Chapters two and three, a Mark two amp",
    ),
    (
        "Use VI. New York XI. Final Fantasy VI",
        "Use VI. New York XI. Final Fantasy six",
    ),
    ("Charles I. Jones, Charles I. He ruled.", "Charles I. Jones, Charles the first. He ruled."),
    ("the XIIth legion, Superbowl LVIII", "the twelfth legion, Superbowl fifty-eight"),
    (
        "WWII and WW2, XIX c. and XX c., Week V",
        "World War two and World War two, nineteenth century and twentieth century, Week five",
    ),
    ("Henry V. Then James V. Smith", "Henry the fifth. Then James V Smith"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_roman(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
