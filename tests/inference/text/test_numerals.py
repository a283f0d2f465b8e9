"""Numbers as other countries write them, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "12.500,00 € and 99,90 € and 2 500 km",
        "twelve thousand five hundred euros and ninety-nine euros and ninety cents "
        "and two thousand five hundred kilometers",
    ),
    (
        "€1.234,56 or 1.234,56 € and 1.000.000 €",
        "one thousand two hundred and thirty-four euros and fifty-six cents or one thousand two "
        "hundred and thirty-four euros and fifty-six cents and one million euros",
    ),
    (
        "€19,99 or £1,50",
        "nineteen euros and ninety-nine cents or one pound and fifty pence",
    ),
    (
        "1,5 kg, 0,5 l, 1,5 million, 37,2 °C and 12,5 %",
        "one point five kilograms, zero point five liters, one point five million, thirty-seven "
        "point two degrees Celsius and twelve point five percent",
    ),
    (
        "3.500 €, 1 234 567 and 1'000'000",
        "three thousand five hundred euros, one million two hundred and thirty-four thousand "
        "five hundred and sixty-seven and one million",
    ),
    (
        "1 500 dollars, 12 000 steps, 5 000 people",
        "one thousand five hundred dollars, twelve thousand steps, five thousand people",
    ),
    (
        "250 000 €",
        "two hundred and fifty thousand euros",
    ),
    (
        "12 345 € in French",
        "twelve thousand three hundred and forty-five euros in French",
    ),
    (
        "1 234,56 €",
        "one thousand two hundred and thirty-four euros and fifty-six cents",
    ),
    (
        "12.345 Einwohner, $1.000.000, $1.000 MXN",
        "twelve thousand three hundred and forty-five Einwohner, one million dollars, one thousand dollars MXN",
    ),
    (
        "3,5 Mio. €, 5 zł, kr 100",
        "three point five million euros, five zlotys, one hundred kroner",
    ),
    (
        "CHF 1'250.50",
        "one thousand two hundred and fifty Swiss francs and fifty centimes",
    ),
    (
        "May 5 300 people came",
        "May fifth three hundred people came",
    ),
    (
        "1,2,3 and 3.500 and 1,234 kg",
        "one, two, three and three point five zero zero and one thousand two hundred and thirty-four kilograms",
    ),
    (
        "1,5-2,5 kg",
        "one point five to two point five kilograms",
    ),
    ("10 000,5 and 7 500 RPM", "ten thousand point five and seven thousand five hundred revolutions per minute"),
    ("1.500 Euro, CHF 12.-, 12,- €", "one thousand five hundred Euro, twelve Swiss francs, twelve euros"),
    ("20m people, 1.5m users, 10m deep", "twenty million people, one point five million users, ten meters deep"),
    (
        "4,7 stars, 8,5/10, 10.000 km",
        "four point seven stars, eight point five out of ten, ten thousand kilometers",
    ),
    ("1:50,000 scale", "one to fifty thousand scale"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_numerals(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
