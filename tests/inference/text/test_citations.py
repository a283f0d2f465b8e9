"""Chapter and verse, as they are said."""

import pytest

from .checks import assert_spoken

CASES = [
    (
        "Luke 2:1-20 and Psalm 23:4",
        "Luke chapter two, verses one to twenty and Psalm twenty-three, verse four",
    ),
    (
        "Genesis 1:1-3, John 3:16-18, Ps. 119:105, 1 Cor. 13:4-7",
        "Genesis chapter one, verses one to three, John chapter three, verses sixteen to "
        "eighteen, Psalm one hundred and nineteen, verse one hundred and five, First Corinthians "
        "chapter thirteen, verses four to seven",
    ),
    (
        "John 3:30 pm",
        "John three thirty PM",
    ),
    ("Gen 1:1-2:3", "Genesis chapter one, verse one, to chapter two, verse three"),
    (
        "Ex. 20:3, Surah 2:5, 1 Cor 13",
        "Exodus chapter twenty, verse three, Surah two, verse five, First Corinthians chapter thirteen",
    ),
]


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_citations(written: str, spoken: str) -> None:
    assert_spoken(written, spoken)
