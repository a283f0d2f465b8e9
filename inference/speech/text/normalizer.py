"""The order of the rules."""

import re
from typing import NamedTuple

from inference.speech.tracing import SourceTrace

from . import (
    abbreviations,
    addresses,
    calendar_names,
    citations,
    codes,
    dates,
    fractions,
    lengths,
    money,
    numbers,
    numerals,
    periods,
    phones,
    places,
    roman,
    signs,
    symbols,
    times,
    units,
)  # fmt: skip
from .characters import clean, tidy
from .markup import unmarked
from .rules import Rule, apply


class Family(NamedTuple):
    """Rules that belong together, and all that a text must hold for any of them to have something to say."""

    needed: tuple[re.Pattern[str], ...]
    rules: tuple[Rule, ...]


_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_LOOSE_HYPHEN = r"(?<!\w)-|-(?!\w)"
_SIGN = re.compile(
    rf"[^\w\s,;:!?'\".-]|{_LOOSE_HYPHEN}|--|[^\x00-\x7f]|\.\.|\w\.\w|(?:\A|\s)\.|\b(?:sq|cu|fl)\."
    r"|\bper \w{2,4}\b|[.!?]\"\w"
)

# Ordered: what one family has said no later one can misread, so the most particular come first.
_FAMILIES = (
    # Links, mail and paths hold every sign there is, and each sign in them is said.
    Family((re.compile(r"[\d@#\\/<\]$]|\w\.\w"),), addresses.RULES),
    # Numbers take one form, and signs their side, before anyone looks for a quantity.
    Family((_DIGIT,), (*numerals.RULES, *fractions.MIXED)),
    Family((re.compile(rf"[−+*~<>=≥≤]|{_LOOSE_HYPHEN}|-\d"),), signs.RULES),
    # Their full stops would end sentences, and several are units, names or numerals by half.
    Family((re.compile(r"\.|[A-Za-z]/|[A-Z]|\bvs\b"),), abbreviations.RULES),
    Family((re.compile(r"\b[MTWFSJAOND]"),), calendar_names.RULES),
    Family((re.compile(r"\b[IVXLCDM]+|\b[ivx]"),), roman.RULES),
    # House numbers and verses look like counts and clocks.
    Family((_DIGIT, _LETTER), (*places.RULES, *citations.RULES)),
    Family((re.compile(r", [A-Z]{2}\b"),), places.STATES_AFTER_TOWNS),
    # A date holds what could be a time, a time what could be a telephone number, and so on, down to
    # the number that is nothing else. Each is asked for a digit anew: what is said is ten times as long.
    Family((_DIGIT, _LETTER), periods.QUARTERS),
    Family((_DIGIT,), dates.DIGITS),
    Family((_DIGIT, re.compile(r"[^\W\d_]|['–-]")), (*dates.RULES, *periods.DECADES)),
    Family((_DIGIT, re.compile(r"[^\W\d_]|:")), times.RULES),
    Family((_DIGIT,), phones.RULES),
    Family((_DIGIT, re.compile(r"[^\W\d_]|[$£¥¢\u20a0-\u20bf฿]")), money.RULES),
    Family((_DIGIT,), symbols.EXPRESSIONS),
    Family((re.compile(r"[\d/]"), re.compile(r"[^\W\d_]|['\"′″°%×]")), (*lengths.RULES, *units.RULES)),
    Family((_DIGIT,), symbols.PRODUCTS),
    Family((_DIGIT,), codes.RULES),
    Family((_DIGIT,), numbers.YEARS),
    Family((_DIGIT,), fractions.RULES),
    Family((_DIGIT,), numbers.RULES),
    # Signs that are left when every number has taken its own.
    Family((_SIGN,), (*units.BARE, *symbols.RULES)),
)
_MOST_PASSES = 8


def normalize(text: str, trace: SourceTrace | None = None) -> str:
    """The text as it will be spoken: English words, letters and the punctuation that shapes speech.

    Never fails, and normalising what is normal changes nothing.

    Args:
        trace: that of `text`; it becomes that of the result.
    """
    # What a pass takes away can bring together what another rule reads: passes run until one changes nothing.
    for _ in range(_MOST_PASSES):
        spoken = _one_pass(text, trace)
        if spoken == text:
            break
        text = spoken
    return text


def _one_pass(text: str, trace: SourceTrace | None) -> str:
    text = clean(unmarked(text, trace), trace)
    for needed, rules in _FAMILIES:
        if all(pattern.search(text) for pattern in needed):
            text = apply(rules, text, trace)
    return tidy(text, trace)
