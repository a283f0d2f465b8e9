"""Each word of a normalised text knows the span of the source that it stands for."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.speech.text import normalize
from inference.speech.tracing import SourceTrace


def traced(source: str) -> list[tuple[str, str]]:
    """(spoken word, what of the source it stands for)."""
    trace = SourceTrace(len(source))
    normal = normalize(source, trace)
    return [(word[0], source[slice(*trace.of(*word.span()))]) for word in re.finditer(r"\S+", normal)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "I paid $5.20 for 3.",
            [("I", "I"), ("paid", "paid"), ("five", "$5.20"), ("dollars", "$5.20"), ("and", "$5.20"),
             ("twenty", "$5.20"), ("cents", "$5.20"), ("for", "for"), ("three.", "3.")],
        ),
        ("Dr. Smith ran.", [("Doctor", "Dr."), ("Smith", "Smith"), ("ran.", "ran.")]),
        ("Tea &amp; <b>cake</b>", [("Tea", "Tea"), ("and", "&amp;"), ("cake", "cake")]),
        ("  - Buy milk", [("Buy", "Buy"), ("milk", "milk")]),
        ("1. Go\n2. Stop", [("one,", "1."), ("Go.", "Go\n"), ("two,", "2."), ("Stop", "Stop")]),
        ("cafe\u0301 now", [("café", "cafe\u0301"), ("now", "now")]),
    ],
)  # fmt: skip
def test_a_word_knows_its_source(source: str, expected: list[tuple[str, str]]) -> None:
    assert traced(source) == expected


@given(st.text(max_size=200) | st.from_regex(r"([A-Za-z$%&<>/.,\d\n -]{1,12} ){1,20}", fullmatch=True))
@settings(deadline=None, max_examples=200)
def test_a_trace_changes_nothing_and_is_as_long_as_the_text(source: str) -> None:
    trace = SourceTrace(len(source))
    normal = normalize(source, trace)
    assert normal == normalize(source)
    assert len(trace.starts) == len(trace.ends) == len(normal)
    spans = list(zip(trace.starts, trace.ends, strict=True))
    assert all(0 <= low <= high <= len(source) for low, high in spans)
    assert all(before[0] <= after[0] for before, after in pairwise(spans)), "in order"
