"""Names that people choose and that e-mails to others carry: one line of words, without a link.

`check` refuses the rest where a name is typed in; `plain` makes it harmless in a letter, for all others.
"""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError

MAX_LENGTH = 100
_JOINERS = "\u200c\u200d"
"""Invisible, and part of how some scripts and emoji are written."""
_ADDRESS = re.compile(r"://|\bwww\.|[\w-]\.[^\W\d_]{2,}|@\w", re.IGNORECASE)
"""What mail programs make a link of."""


def check(name: str) -> None:
    """Raises ValidationError, which says what is wrong, for a name that must not stand in a letter."""
    if any(map(_is_control, name)):
        raise ValidationError("Write it on one line, without control characters.")
    if found := _ADDRESS.search(name):
        word = next(each for each in name.split() if found[0].split()[0] in each)
        raise ValidationError(f"Write it without web and e-mail addresses: “{word[:40]}” looks like one.")


def plain(name: str, length: int = MAX_LENGTH) -> str:
    """A name as it may stand in a letter: on one line, bounded, and with no link that can be followed."""
    line = " ".join("".join(" " if _is_control(letter) else letter for letter in name).split())
    line = line[: 2 * length]
    while _ADDRESS.search(line):  # each time there are fewer of these marks
        line = _ADDRESS.sub(lambda found: re.sub(r"[.:/@]+", " ", found[0]), line)
    line = " ".join(line.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _is_control(letter: str) -> bool:
    """Line and paragraph separators, controls, and what turns the direction of text or is not seen."""
    category = unicodedata.category(letter)
    return (category[0] == "C" or category in ("Zl", "Zp")) and letter not in _JOINERS
