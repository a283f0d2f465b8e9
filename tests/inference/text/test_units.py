"""Measures, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "200m race; 75W bulb; 3 W/cm²",
        "two hundred meter race; seventy-five watt bulb; three watts per square centimeter",
    ),
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
    ("Add 1 tsp. salt and 2 tbsp. oil.", "Add one teaspoon of salt and two tablespoons of oil."),
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
    (
        'a 65" TV, 1/4", 12", 5\', 6\' fence, 5\'-10"',
        "a sixty-five inch TV, one quarter inch, twelve inches, five feet, six foot fence, five feet ten inches",
    ),
    (
        "51°30'26\"N. 5 ft 10 in",
        "fifty-one degrees thirty minutes twenty-six seconds north. five feet ten inches",
    ),
    (
        "10 W/m², 5 W/kg, 10 W/m2, 25 W/kg",
        "ten watts per square meter, five watts per kilogram, ten watts per square meter, "
        "twenty-five watts per kilogram",
    ),
    (
        "500 mg/5 ml, 20 mg/kg/day, 10 l/100 km, 5 N/m, 50 cents/lb",
        "five hundred milligrams per five milliliters, twenty milligrams per kilogram per day, "
        "ten liters per one hundred kilometers, five newtons per meter, fifty cents per pound",
    ),
    (
        "f/2.8 and 12/kg and 3 mbps and 100 million kg and 2x8 m2",
        "f two point eight and twelve per kilogram and three megabits per second and one hundred "
        "million kilograms and two by eight square meters",
    ),
    (
        "100m sprint, 50mm lens, 100W bulb, 350°F oven, 45° angle, 10 ms delay",
        "one hundred meter sprint, fifty millimeter lens, one hundred watt bulb, three hundred "
        "and fifty degree Fahrenheit oven, forty-five degree angle, ten millisecond delay",
    ),
    (
        "a 5km-wide crater, a 10m-high wall",
        "a five-kilometer-wide crater, a ten-meter-high wall",
    ),
    (
        "sq. ft., 5 sq. m., 3 cu. ft., 2 fl. oz., 9 sq. mi., 6 mos., 5 pcs., 2 doz. eggs, 3 pkgs.",
        "square feet, five square meters, three cubic feet, two fluid ounces, nine square miles, "
        "six months, five pieces, two dozen eggs, three packages.",
    ),
    (
        "16GB RAM, 500 MB of data, a 16 GB RAM module, 1TB drive",
        "sixteen gigabytes of RAM, five hundred megabytes of data, a sixteen gigabyte RAM module, one "
        "terabyte drive",
    ),
    (
        "$5 per kg today, 20 per hr. of work, 3 per sq ft",
        "five dollars per kilogram today, twenty per hour of work, three per square foot",
    ),
    (
        "He is 6'2, a 5yo boy, 12 y/o girl",
        "He is six foot two, a five-year-old boy, twelve-year-old girl",
    ),
    ("12' ladder, 20' behind, a 6' man", "twelve foot ladder, twenty feet behind, a six foot man"),
    ("a 24' x 36' room", "a twenty-four by thirty-six foot room"),
    ("9-1/2 x 11 paper, 8.5 x 11", "nine and a half by eleven paper, eight point five by eleven"),
    ("3'45\"", "three minutes forty-five seconds"),
    ("30 cents/mile", "thirty cents per mile"),
    ("5GB plan, 60s timer", "five gigabyte plan, sixty second timer"),
    ("μm and μg", "micrometers and micrograms"),
    ("f-4s", "f-four s"),
    ("20 mA, a 10 A fuse", "twenty milliamps, a ten amp fuse"),
    ("W/kg alone", "watts per kilogram alone"),
    (
        "5 cu. yds. of it, a 20ft ladder, 100mg tablet",
        "five cubic yards of it, a twenty foot ladder, one hundred milligram tablet",
    ),
    (
        "It is 3 m wide, a wall 10 cm thick, a 5 mm thick layer",
        "It is three meters wide, a wall ten centimeters thick, a five millimeter thick layer",
    ),
    ("CFU/ml, cells/mL", "CFU per milliliter, cells per milliliter"),
    (
        "½ lb butter, 1 tbsp oil, 2 oz gin, a 2 lb chicken",
        "half a pound of butter, one tablespoon of oil, two ounces of gin, a two pound chicken",
    ),
    ("5 min break", "five minute break"),
    (
        "€2/l, 5 c/kWh, 30 miles/gallon, 1/1000s",
        "two euros per liter, five cents per kilowatt hour, thirty miles per gallon, one thousandth of a second",
    ),
    ("km/hr, €/kg, 500 req/s", "kilometers per hour, euros per kilogram, five hundred requests per second"),
    (
        "400m hurdles, $100 bills, a 6 ft. fence, 2 tsps. sugar",
        "four hundred meter hurdles, one hundred dollar bills, a six foot fence, two teaspoons of sugar",
    ),
    ("1,000s of people, 100,000s of it", "thousands of people, hundreds of thousands of it"),
    ("2x4s and 2x6s", "two by fours and two by sixes"),
    ("5 people/km², 100 files/s", "five people per square kilometer, one hundred files per second"),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_units(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
