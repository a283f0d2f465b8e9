"""Marks in a text that say how it is spoken.

`[Nguyen](say:win)` is said as spelled, and `[Nguyen](ipa:wɪn)` by its phonemes. `[](pause:500)` is half a second
of silence. From `[](rate:0.8)` on the text is spoken at 0.8 times the usual rate."""

from __future__ import annotations

import re

MARK = re.compile(r"\[(?P<label>[^\[\]\n]{0,200})\]\((?P<kind>say|ipa|pause|rate):(?P<value>[^()\n]{1,200})\)")
MOST_PAUSE_MS = 5_000
SLOWEST, FASTEST = 0.5, 2.0


def mark(label: str, kind: str, value: str) -> str:
    """What is written for a mark; brackets in it would end it."""
    return f"[{_plain(label, '[]')}]({kind}:{_plain(value, '()') or ' '})"


def pause_ms(value: str) -> int:
    """The length of a pause; one that makes no sense is none."""
    digits = value.strip().removesuffix("ms")
    return min(int(digits), MOST_PAUSE_MS) if digits.isdecimal() and len(digits) < 9 else 0


def rate(value: str) -> float:
    """A factor on the usual rate of speech; one that makes no sense is 1."""
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value.strip()):
        return 1.0
    return min(FASTEST, max(SLOWEST, float(value)))


def _plain(text: str, brackets: str) -> str:
    return " ".join(text.translate(str.maketrans(brackets, "  ")).split())[:200]
