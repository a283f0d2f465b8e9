"""What holds for any text: it is speakable, once and for all, in time."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.speech.text import normalize, split_sentences

from . import (
    test_abbreviations,
    test_addresses,
    test_characters,
    test_codes,
    test_dates,
    test_mixtures,
    test_money,
    test_numbers,
    test_roman,
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
    test_characters,
    test_numbers,
    test_years,
    test_dates,
    test_times,
    test_money,
    test_units,
    test_addresses,
    test_codes,
    test_abbreviations,
    test_roman,
    test_symbols,
    test_mixtures,
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


@pytest.mark.parametrize(
    "unit",
    [
        "1", "1,", "111,", "1.", "1-", "1/", "1:", "1 x ", "1+", "1e9", "$1-", "£1.2bn ", "1²", "½", "a.", "A. ",
        "a@", "a.b@", "ab1", "::1:", "/a", "www.", "[a](", "(", "-", "- a\n", "1\n\n", '1" a ', "10:30-",
        "St. ", "Chapter I ", "No. ", "+1 ", "555-", "☃", "\u0301", "\ud800", "٣",
    ],
)  # fmt: skip
def test_no_text_takes_long(unit: str) -> None:
    text = (unit * 4096)[:4096]
    started = time.perf_counter()
    split_sentences(normalize(text))
    # Milliseconds where it was written; backtracking would take minutes.
    assert time.perf_counter() - started < 5


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
