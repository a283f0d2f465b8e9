"""Whole sentences, where families meet, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "On May 3, 2026, Dr. Lee paid $3.50 for 2 lbs. of tea at 10:30 a.m. in St. Ives.",
        "On May third, twenty twenty-six, Doctor Lee paid three dollars and fifty cents for two pounds of"
        " tea at ten thirty AM in Saint Ives.",
    ),
    (
        "The S&P 500 fell 1.65% to 3,936.97, vs. 4,002 on Mar. 1.",
        "The S and P five hundred fell one point six five percent to three thousand nine hundred and "
        "thirty-six point nine seven, versus four thousand and two on March first.",
    ),
    (
        "In 1999, No. 5 Main St. sold for £1.2m—up 20% from the '80s!",
        "In nineteen ninety-nine, number five Main Street sold for one point two million pounds — up "
        "twenty percent from the eighties!",
    ),
    (
        "Preheat to 350°F (175°C); bake 25-30 min. until golden.",
        "Preheat to three hundred and fifty degrees Fahrenheit, one hundred and seventy-five degrees "
        "Celsius; bake twenty-five to thirty minutes until golden.",
    ),
    (
        "King Henry VIII (1491–1547) married 6 times.",
        "King Henry the eighth, fourteen ninety-one to fifteen forty-seven, married six times.",
    ),
    (
        "Email a@b.co by 5 p.m. Friday, or call 555-0199.",
        "Email a at b dot co by five PM Friday, or call five five five, zero one nine nine.",
    ),
    (
        "The A100 has 80GB, 2TB/s & costs $10,000.00.",
        "The A one hundred has eighty gigabytes, two terabytes per second and costs ten thousand dollars.",
    ),
    (
        "UTC+2, GMT+1, B+ grade, 1:49 PM, 40–60°C, $150-$250, sq ft and 10 sq ft.",
        "UTC plus two, GMT plus one, B plus grade, one forty-nine PM, forty to sixty degrees "
        "Celsius, one hundred and fifty dollars to two hundred and fifty dollars, sq ft and ten "
        "square feet.",
    ),
    (
        '3: No. I am 26 years old. June 13th, 3.14. "No 8-digit number?"',
        'three: No. I am twenty-six years old. June thirteenth, three point one four. "No eight-digit number?"',
    ),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_mixtures(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
