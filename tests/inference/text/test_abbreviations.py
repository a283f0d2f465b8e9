"""Abbreviations, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    ("We met on Park Ave", "We met on Park Avenue"),
    ("\u017f/he", "\u017f slash he"),
    ("We left at 9 a.m. Lee stayed for the a.m. shift.", "We left at nine AM. Lee stayed for the AM shift."),
    ("Sen. Warren, Mr. de Vries", "Senator Warren, Mister de Vries"),
    ("E.g. this one", "For example this one"),
    ("Sat on Mt. Etna", "Sat on Mount Etna"),
    (
        "Dr. Smith, Mr. Jones, Mrs. Roe, Prof. X and St. Paul met.",
        "Doctor Smith, Mister Jones, Missus Roe, Professor X and Saint Paul met.",
    ),
    ("Dr Smith and Mr Jones", "Doctor Smith and Mister Jones"),
    (
        "He lives on Main St. The house on Elm Dr. is old.",
        "He lives on Main Street. The house on Elm Drive is old.",
    ),
    (
        "12 Oak St. Apt. 4B, 5th Ave. and Sunset Blvd.",
        "twelve Oak Street Apartment four B, fifth Avenue and Sunset Boulevard.",
    ),
    (
        "Fruit, e.g. apples, i.e. food, etc. are here.",
        "Fruit, for example apples, that is food, et cetera are here.",
    ),
    ("We sell tea, etc. We ship.", "We sell tea, et cetera. We ship."),
    (
        "No. 5, p. 7, pp. 12-15, fig. 3 and vol. 2.",
        "number five, page seven, pages twelve to fifteen, figure three and volume two.",
    ),
    ("Cats vs. dogs vs mice, approx. ten.", "Cats versus dogs versus mice, approximately ten."),
    ("The dept. of Acme Inc. grew.", "The department of Acme Incorporated grew."),
    ("The U.S. Senate, the U.K., NASA and a Ph.D. student.", "The US Senate, the UK, NASA and a PhD student."),
    ("He lives in the U.S. The end.", "He lives in the US. The end."),
    ("J. R. R. Tolkien and George W. Bush", "J R R Tolkien and George W Bush"),
    ("Take vitamin C. It helps.", "Take vitamin C. It helps."),
    ("Tea w/ milk and/or w/o sugar, he/she said.", "Tea with milk and or without sugar, he or she said."),
    ("Smith et al. (2019)", "Smith and others, twenty nineteen"),
    ("John Doe Jr. ran.", "John Doe Junior ran."),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_abbreviations(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
