"""The division of a text for speech."""

import pytest

from inference.speech.text import normalize, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("  \n ", []),
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("No mark at the end", ["No mark at the end"]),
        ("J. R. R. Tolkien wrote. He did.", ["J. R. R. Tolkien wrote.", "He did."]),
        ("Dr. Smith met Mrs. Jones. They spoke.", ["Dr. Smith met Mrs. Jones.", "They spoke."]),
        ("We chose plan B. Then we left.", ["We chose plan B.", "Then we left."]),
        ("So did I. Nobody saw.", ["So did I.", "Nobody saw."]),
        ("It ended. five people left.", ["It ended.", "five people left."]),
        ('"Go!" he said. "Now?" she asked.', ['"Go!" he said.', '"Now?" she asked.']),
        ('He said "go." Then he went.', ['He said "go."', "Then he went."]),
        ("Well… maybe. Well… Maybe.", ["Well… maybe.", "Well…", "Maybe."]),
        ("Wow! fifty percent off.", ["Wow!", "fifty percent off."]),
        ('Yes. "', ['Yes. "']),
        ("Pi is about three point one four.", ["Pi is about three point one four."]),
    ],
)
def test_split_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("one two, three four five", 14, ["one two,", "three four", "five"]),
        ("a, bcdefg hijk lmnop", 12, ["a, bcdefg", "hijk lmnop"]),
        ("one — two; three: four", 11, ["one — two;", "three: four"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("ab cdefghij k", 4, ["ab", "cdef", "ghij", "k"]),
        ("Short. Also short.", 300, ["Short.", "Also short."]),
    ],
)
def test_long_sentences_divide_at_clauses_then_words_then_anywhere(
    text: str, limit: int, pieces: list[str]
) -> None:
    assert split_sentences(text, limit=limit) == pieces


def test_the_limit_is_three_hundred_unless_told() -> None:
    assert list(map(len, split_sentences("word " * 100))) == [299, 199]


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        split_sentences("text", limit=0)


def test_words_stay_whole_where_they_fit() -> None:
    text = normalize("On May 3, 2026, Dr. Lee (of St. Ives) paid $3.50 for 2 lbs. of tea; it rained. " * 9)
    assert " ".join(split_sentences(text, limit=40)) == text
