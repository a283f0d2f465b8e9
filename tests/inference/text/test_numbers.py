"""Numbers, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("1.1st", "one point one st"),
    (
        "I have 0 cats, 42 dogs and 1,234,567 ants.",
        "I have zero cats, forty-two dogs and one million two hundred and thirty-four thousand five "
        "hundred and sixty-seven ants.",
    ),
    (
        "It is 3.14159, not .5 or 0.50.",
        "It is three point one four one five nine, not point five or zero point five zero.",
    ),
    ("Agent 007 has ID 0012345.", "Agent zero zero seven has ID zero zero one two three four five."),
    (
        "Account 12345678901 holds 10000000000 units.",
        "Account one two three four five six seven eight nine zero one holds ten billion units.",
    ),
    (
        "Add 3/4 cup, 2 1/2 cups, ½ cup and 5⅓ cups.",
        "Add three quarters of a cup, two and a half cups, half a cup and five and a third cups.",
    ),
    ("1/3 of 2/3rds is not 120/80.", "one third of two thirds is not one hundred and twenty over eighty."),
    ("Pages 5-10 and 3 – 4.", "Pages five to ten and three to four."),
    ("It fell to -7, then rose +3 and −2.", "It fell to minus seven, then rose plus three and minus two."),
    ("The 1st, 2nd, 3rd, 21st and 1,000th.", "The first, second, third, twenty-first and one thousandth."),
    ("A ratio of 3:1 and odds of 10:15.", "A ratio of three to one and odds of ten to fifteen."),
    (
        "12,34,567 people",
        "one million two hundred and thirty-four thousand five hundred and sixty-seven people",
    ),
    (
        "She scored 8/10 and rated it 4.5/5.",
        "She scored eight out of ten and rated it four point five out of five.",
    ),
    (
        "Open 24/7 since 9/11, with 50/50 odds and 20/20 vision.",
        "Open twenty-four seven since nine eleven, with fifty-fifty odds and twenty-twenty vision.",
    ),
    ("1,2,3", "one, two, three"),
    ("100s of people", "hundreds of people"),
    ("A Boeing 747-400", "A Boeing seven forty-seven four hundred"),
    (
        "7-11 store, 50-50, 10-4",
        "seven eleven store, fifty-fifty, ten four",
    ),
    (
        "a 10-15-minute walk for 5-10-year-old children; 3-2-win",
        "a ten to fifteen-minute walk for five to ten-year-old children; three-two-win",
    ),
    ("7-2 is 5", "seven minus two is five"),
    ("open 24-7", "open twenty-four seven"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_numbers(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
