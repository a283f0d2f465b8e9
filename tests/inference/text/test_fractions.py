"""Parts, scores and steps, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "Score: 18/20. Question 4/10. 3/5 voters agree",
        "Score: eighteen out of twenty. Question four of ten. three out of five voters agree",
    ),
    (
        "a perfect 10/10. 8/10 would recommend. a 5/5 rating",
        "a perfect ten out of ten. eight out of ten would recommend. a five out of five rating",
    ),
    (
        "I give it 9/10. Step 2/5: install. Page 3/12",
        "I give it nine out of ten. Step two of five: install. Page three of twelve",
    ),
    (
        "★★★★☆ (4/5)",
        "four out of five",
    ),
    (
        "7/10 people and 4/5 dentists agree. 2/2 next, 1/1",
        "seven out of ten people and four out of five dentists agree. two of two next, one of one",
    ),
    (
        "13/20 questions; Was 24/30. He finished 2/10; odds 5/1",
        "thirteen out of twenty questions; Was twenty-four out of thirty. He finished two out of "
        "ten; odds five to one",
    ),
    (
        "3/4 of 1/2, 2/3 majority, 1/10 of it, 3/16 inch",
        "three quarters of one half, two thirds majority, one tenth of it, three sixteenths of an inch",
    ),
    (
        "¾ cup, 1/2 cup sugar, a 3/4 inch pipe, 1/4TH and 3/4ths",
        "three quarters of a cup, half a cup of sugar, a three quarters inch pipe, one quarter and three quarters",
    ),
    (
        'a 3-1/4" pipe, 10-1/2 oz, 1-1/8 in.',
        "a three and a quarter inch pipe, ten and a half ounces, one and an eighth inches.",
    ),
    (
        "5-1/2 inches, 1-3/4 cups, 2-3/4 hours",
        "five and a half inches, one and three quarters cups, two and three quarters hours",
    ),
    (
        "a 7-1/2-foot ceiling, 6-7/8 hat",
        "a seven-and-a-half-foot ceiling, six and seven eighths hat",
    ),
    (
        "1/250s; 24/7/365",
        "one two hundred and fiftieth of a second; twenty-four seven three sixty-five",
    ),
    (
        "½ tsp salt, ¾ cup flour, ½ cup of milk, ¼ cup is enough, 1/2 mile run",
        "half a teaspoon of salt, three quarters of a cup of flour, half a cup of milk, one quarter "
        "of a cup is enough, half a mile run",
    ),
    (
        "1/f noise and 1/x",
        "one over f noise and one over x",
    ),
    (
        "1/2 price, 1/2 off, 1/2 of it",
        "half price, half off, one half of it",
    ),
    ("4/4 time", "four four time"),
    ("Progress: 4/7", "Progress: four of seven"),
    ("1 / 2, Page 3 / 10", "one half, Page three of ten"),
    ("a 1/4 share, An 1/8 turn", "a quarter share, An eighth turn"),
    ("1/3 chance", "one in three chance"),
    ("1/60 s, 1/500s", "one sixtieth of a second, one five hundredth of a second"),
    ("2 142/1", "two and one hundred and forty-two over one"),
    ("365/24/7", "three sixty-five twenty-four seven"),
    ("an 11/10 experience, 5/7 days a week", "an eleven out of ten experience, five out of seven days a week"),
    ("80/20 rule, 60-40 split, won 60-40", "eighty-twenty rule, sixty-forty split, won sixty to forty"),
    (
        "24x7 support, 20/40 vision, 45/1000",
        "twenty-four seven support, twenty forty vision, forty-five thousandths",
    ),
    (
        "It's a 4/5 from me, 10/12 correct, 7/12 months",
        "It's a four out of five from me, ten out of twelve correct, seven out of twelve months",
    ),
    ("No. 45/2026", "number forty-five slash twenty twenty-six"),
    (
        "ships 11/28, 12/25, 11/28 of it",
        "ships November twenty-eighth, December twenty-fifth, eleven over twenty-eight of it",
    ),
    ("Reg. 2016/679", "Reg. twenty sixteen slash six hundred and seventy-nine"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_fractions(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
