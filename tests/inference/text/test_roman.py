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
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_roman(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
