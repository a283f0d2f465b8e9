"""What holds for any text: it is speakable, once and for all, in time."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.speech.text import normalize, split_sentences
from inference.speech.tracing import SourceTrace
from tests.cost import cpu_seconds

from . import (
    test_abbreviations,
    test_addresses,
    test_characters,
    test_citations,
    test_codes,
    test_dates,
    test_fractions,
    test_lengths,
    test_markup,
    test_mixtures,
    test_money,
    test_numbers,
    test_numerals,
    test_periods,
    test_places,
    test_roman,
    test_signs,
    test_symbols,
    test_times,
    test_units,
    test_years,
)

# The grammar's atoms, to be put together as no writer would.
ATOMS = [
    "0", "1", "7", "12", "05", "19", "99", "100", "1990", "2024", "1,000", "1.5", ".5", "1/2", ".", ",", ":",
    ";", "-", "–", "—", "/", "\\", "'", '"', "(", ")", "[", "]", "<", ">", "#", "@", "$", "£", "€", "%", "°",
    "²", "½", "^", "=", "+", "−", "×", "*", "&", "_", "~", "|", "!", "?", "…", "st", "nd", "rd", "th", "s",
    "'s", "x", "e", "k", "m", "M", "B", "bn", "kg", "lbs", "in", "ft", "km/h", "am", "pm", "p.m.", "AM", "C",
    "F", "v", "V", "I", "IV", "Chapter", "Henry", "Dr.", "St.", "Mr", "A.", "No.", "e.g.", "etc.", "U.S.",
    "May", "Mon", "the", "a", "The", "in", "USD", "Rs.", "www.", "http://", ".com", "0x", "ext.", "w/",
    "s/he", "\u017f", "\u0131", "\u0301", "\u200d", "é", "中",
]  # fmt: skip
_FAMILIES = (
    test_abbreviations,
    test_addresses,
    test_characters,
    test_citations,
    test_codes,
    test_dates,
    test_fractions,
    test_lengths,
    test_markup,
    test_mixtures,
    test_money,
    test_numbers,
    test_numerals,
    test_periods,
    test_places,
    test_roman,
    test_signs,
    test_symbols,
    test_times,
    test_units,
    test_years,
)
FRAGMENTS = sorted({word for family in _FAMILIES for written, _ in family.CASES for word in written.split(" ")})
ANY_TEXT = st.one_of(
    # With the lone surrogates, which hypothesis leaves out of its texts unless told otherwise.
    st.text(st.characters(exclude_categories=())),
    st.text("0123456789.,:;-–—/\\'\"()[]<>#@$£€%°²½^=+*&_~|! \n\u0301\u200dabkmxIVAST"),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.sampled_from(" .,-/:'\"$#@1")), max_size=12).map("".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join),
    st.lists(st.sampled_from([*ATOMS, " "]), max_size=12).map("".join),
)


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT)
def test_any_text_becomes_speakable_once_and_for_all(text: str) -> None:
    spoken = normalize(text)
    categories = {unicodedata.category(char) for char in spoken}
    assert not categories & {"Nd", "Nl", "No", "Cc", "Cf", "Cs", "Co", "Cn", "So", "Sc", "Sm", "Sk"}
    assert not any(map(str.isdigit, spoken))
    assert unicodedata.is_normalized("NFC", spoken)
    assert spoken == " ".join(spoken.split())
    assert normalize(spoken) == spoken


HOSTILE = [
    "1", "1,", "111,", "1.", "1-", "1/", "1:", "1 x ", "1+", "1e9", "$1-", "£1.2bn ", "1²", "½", "a.", "A. ",
    "a@", "a.b@", "ab1", "::1:", "/a", "www.", "[a](", "(", "-", "- a\n", "1\n\n", '1" a ', "10:30-",
    "St. ", "Chapter I ", "No. ", "+1 ", "555-", "☃", "\u0301", "\ud800", "٣", " ", "1 ", "111 ", "1.1,", "1'",
    "1/2 ",
    "1-1/2", "<", "<b ", "<b>", "<!--", "<script>", '<sub alias="', "<say-as interpret-as=digits>", "&amp;", "&",
    "12 N 1st ", "1 A ", "A-", "A* ", "*a", "John 3:1-", "no. 5 ", "$-", "Jan ", "1/15-", "XIX ", "a.B", "\\n",
    "1°1'", "5'", '5"', "mg/", "1 mg/", "A/", "0 12 ", "DE89 1111 ", "v1.", "1s-", "FY25-", "i. ", "%1", "Mon/",
    "Sam II ", "Wars I and ", "1-a-", "per kg ", "½ cup a ", "1/f ", "order #a1 ", "100K ", "<a=1>",
    "Ω1", "±5/", "3e8.-", "1 / ", "1/2 x ", "1' x ", "#a#", "a&b@c.d ", "In May 1 ", "Mon-", "12-1-", "$1/a/",
    "1-1 is ", "A.", "≠1", "≈$1", "2Q22 ", "a$", "a$a ", "A.A", "0900-", "07/", "5m ", "2 oz white ", "$ and ",
    "a<", "XIth", "1:2:3:", "W/", "A.B.", "$", "$a ", "^{1}",
]  # fmt: skip


def _seconds(text: str) -> float:
    return cpu_seconds(lambda: split_sentences(normalize(text)))


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_text_takes_long(unit: str) -> None:
    """Four times the text takes about four times as long, not sixteen, and less than two seconds."""
    short, long = (unit * 8192)[:2048], (unit * 8192)[:8192]
    normalize(unit)
    one = min(_seconds(short) for _ in range(2))
    # Two fifths of a second where it was written; one of two tries, and room for a clock's noise.
    assert any(_seconds(long) < min(9 * one + 0.1, 2) for _ in range(2))


# Words no rule touches, each next to what every rule touches.
KEPT = ["walrus", "zebra", "quokka", "pelican", "ostrich"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=6, max_size=6))
def test_no_word_is_lost_and_each_knows_its_source(fragments: list[str]) -> None:
    plain = [fragment for fragment in fragments if not set(fragment) & set("<>&[]\\@#/:")]
    text = " ".join(word for pair in zip(KEPT, plain, strict=False) for word in pair)
    trace = SourceTrace(len(text))
    spoken = normalize(text, trace)
    words = [word.strip(".,;:!?'\"") for word in spoken.split()]
    kept = [word for word in KEPT if word in text.split()]
    assert [word for word in words if word in KEPT] == kept
    for word in kept:
        at = spoken.index(word)
        start, end = trace.of(at, at + len(word))
        assert text[start:end] == word


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(ANY_TEXT, ANY_TEXT.map(normalize)),
    st.integers(min_value=1, max_value=60),
)
def test_splitting_keeps_every_character_and_the_limit(text: str, limit: int) -> None:
    pieces = split_sentences(text, limit=limit)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert "".join(" ".join(pieces).split()) == "".join(text.split())
    assert all(piece and piece == piece.strip() and len(piece) <= limit for piece in pieces)
