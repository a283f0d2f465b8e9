"""Names that people choose and that appear in e-mails to others: one line of text, without a link.

`check` refuses other names in forms; `plain` makes them harmless in e-mails.
"""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError

MAX_LENGTH = 100
_JOINERS = "\u200c\u200d"
"""Invisible characters that some scripts and emoji need."""
_ADDRESS = re.compile(r"://|\bwww\.|[\w-]\.[^\W\d_]{2,}|@\w", re.IGNORECASE)
"""What mail programs turn into a link."""


def check(name: str) -> None:
    """Raises ValidationError, with the reason, for a name that must not appear in an e-mail."""
    if any(map(_is_control, name)):
        raise ValidationError("Write it on one line, without control characters.")
    if found := _ADDRESS.search(name):
        word = next(each for each in name.split() if found[0].split()[0] in each)
        raise ValidationError(f"Write it without web and e-mail addresses: “{word[:40]}” looks like one.")


def plain(name: str, length: int = MAX_LENGTH) -> str:
    """A name that is safe in an e-mail: on one line, bounded, and without a link."""
    line = " ".join("".join(" " if _is_control(letter) else letter for letter in name).split())
    line = line[: 2 * length]
    while _ADDRESS.search(line):  # ends: each pass removes some of these characters
        line = _ADDRESS.sub(lambda found: re.sub(r"[.:/@]+", " ", found[0]), line)
    line = " ".join(line.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _is_control(letter: str) -> bool:
    """Line and paragraph separators, controls, and what turns the direction of text or is not seen."""
    category = unicodedata.category(letter)
    return (category[0] == "C" or category in ("Zl", "Zp")) and letter not in _JOINERS
