"""The order of the rules."""

import re

from . import abbreviations, addresses, codes, dates, money, numbers, roman, symbols, times, units
from .characters import clean, tidy
from .rules import Rule, apply

# The most particular first: what one family has said no later one can misread. Beside each family, what a
# text must hold for it to have anything to say, so that the pass which only confirms is cheap.
_FAMILIES: tuple[tuple[re.Pattern[str], tuple[Rule, ...]], ...] = (
    (re.compile(r"[\d@#\\/<\]]|\w\.\w"), addresses.RULES),
    (re.compile(r"\.|/|[A-Z]|\bvs\b"), abbreviations.RULES),
    (re.compile(r"\b[MTWFSJAOND]"), dates.NAMES),
    (re.compile(r"\b[IVXLCDM]+\b|\b[ivx]{2}"), roman.RULES),
    (
        re.compile(r"\d"),
        (
            *dates.RULES,
            *times.RULES,
            *codes.PHONES,
            *money.RULES,
            *symbols.EXPRESSIONS,
            *units.RULES,
            *symbols.PRODUCTS,
            *codes.RULES,
            *numbers.RULES,
        ),
    ),
    (re.compile(r"[^\w\s,;:!?'\".]|\.\.|\w\.\w|(?:\A|\s)\."), (*units.BARE, *symbols.RULES)),
)
_MOST_PASSES = 8


def normalize(text: str) -> str:
    """The text as it will be spoken: English words, letters and the punctuation that shapes speech.

    Never fails, and normalising what is normal changes nothing.
    """
    # What a pass takes away can bring together what another rule reads: passes run until one changes nothing.
    for _ in range(_MOST_PASSES):
        spoken = _one_pass(text)
        if spoken == text:
            break
        text = spoken
    return text


def _one_pass(text: str) -> str:
    text = clean(text)
    for needed, rules in _FAMILIES:
        if needed.search(text):
            text = apply(rules, text)
    return tidy(text)
