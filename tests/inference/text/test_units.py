"""Measures, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "5 lbs, 1 lb, 10 km/h and 20 kg.",
        "five pounds, one pound, ten kilometers per hour and twenty kilograms.",
    ),
    ("He is 5'11\" and 6' tall.", "He is five feet eleven inches and six feet tall."),
    (
        "3GB, 60Hz, 100 Mbps and 5 GB/s.",
        "three gigabytes, sixty hertz, one hundred megabits per second and five gigabytes per second.",
    ),
    (
        "-5°C, 72°F, 45° and 40.7° N.",
        "minus five degrees Celsius, seventy-two degrees Fahrenheit, forty-five degrees and forty point "
        "seven degrees north.",
    ),
    ("A 5 km run and a 10-lb bag.", "A five kilometer run and a ten-pound bag."),
    ("Add 1 tsp. salt and 2 tbsp. oil.", "Add one teaspoon salt and two tablespoons oil."),
    (
        "It rained 0.5 in. Monday was dry. It is 6 in. wide.",
        "It rained zero point five inches. Monday was dry. It is six inches wide.",
    ),
    ("3/4 mi, 1/2 kg and 1 1/2 lbs.", "three quarters of a mile, half a kilogram and one and a half pounds."),
    (
        "9.81 m/s², 50 km² and 20 kg/m³",
        "nine point eight one meters per second squared, fifty square kilometers and twenty kilograms per"
        " cubic meter",
    ),
    (
        "5%, 5-10%, 4.75%-5% and 0.5 %.",
        "five percent, five to ten percent, four point seven five percent to five percent and zero point "
        "five percent.",
    ),
    (
        "20°C–25°C and 10-15 kg",
        "twenty degrees Celsius to twenty-five degrees Celsius and ten to fifteen kilograms",
    ),
    (
        'A 27" monitor, 8.5" x 11" paper.',
        "A twenty-seven inch monitor, eight point five by eleven inch paper.",
    ),
    (
        "1920x1080, 5x7, 10x10 cm and 5 m x 3 m.",
        "nineteen twenty by ten eighty, five by seven, ten by ten centimeters and five meters by three meters.",
    ),
    ('"I own 12" he said.', '"I own twelve" he said.'),
    ("in km/h terms", "in kilometers per hour terms"),
    (
        "BP 120/80 mmHg, 72 bpm",
        "BP one hundred and twenty over eighty millimeters of mercury, seventy-two beats per minute",
    ),
    ("5 µg/mL and 10 kΩ", "five micrograms per milliliter and ten kiloohms"),
    ("2 sq ft, 3 fl oz, 50 mph", "two square feet, three fluid ounces, fifty miles per hour"),
    ("Wait 30s or 45 min.", "Wait thirty seconds or forty-five minutes."),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_units(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
