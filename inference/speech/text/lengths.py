"""Lengths in feet and inches, and angles: 5'10", 3/4" pipe, a 12' ladder, 51°30'26"N."""

import re

from .numbers import QUANTITY, START, cardinal, decimal, is_one, quantity
from .rules import Match, Rule, before_noun, describes, ends_sentence

HEMISPHERES = {"N": " north", "S": " south", "E": " east", "W": " west"}
_MOST_INCHES = 11


def _height(match: Match) -> str:
    if match[2].isdigit() and int(match[2]) > _MOST_INCHES:
        return _minutes_and_seconds(match)
    adjective = describes(match)
    feet = "foot" if match[1] == "1" or adjective else "feet"
    inches = "inch" if match[2] == "1" or adjective else "inches"
    return f"{cardinal(int(match[1]))} {feet} {quantity(match[2])} {inches}"


def _minutes_and_seconds(match: Match) -> str:
    """3'45" is a time: there are no forty-five inches in a foot."""
    parts = ((match[1], "minute"), (match[2], "second"))
    return " ".join(f"{cardinal(int(number))} {unit}{'' if int(number) == 1 else 's'}" for number, unit in parts)


def _arc(match: Match) -> str:
    """51°30'26"N -> fifty-one degrees thirty minutes twenty-six seconds north."""
    parts = ((match[1], "degree"), (match[2], "minute"), (match[3], "second"))
    said = [f"{decimal(number)} {unit}{'' if number == '1' else 's'}" for number, unit in parts if number]
    return " ".join(said) + HEMISPHERES.get(match[4] or "", "")


_OPENED = re.compile(r"(?<![^\s(\[,])\"(?=[^\s,.])")
_CLOSED = re.compile(r"(?<=[^\s(\[\d])\"")
_MARK_WINDOW = 300


def _quoted(match: Match, mark: str) -> bool:
    """Whether a quotation is open, which the mark after a number then closes."""
    before = match.string[max(0, match.start() - _MARK_WINDOW) : match.start()]
    if mark == "'":
        return bool(_SINGLE_OPENED.search(before))
    return len(_OPENED.findall(before)) > len(_CLOSED.findall(before))


_SINGLE_OPENED = re.compile(r"(?<!\w)'(?=[A-Za-z])[^']*\Z")


def _inches(match: Match) -> str:
    """A double quote after a number closes a quotation if one is open."""
    if _quoted(match, '"'):
        return match[0]
    one = is_one(match[1]) or before_noun(match) or re.fullmatch(r"\d+/\d+", match[1])
    return f"{quantity(match[1])} inch{'' if one else 'es'}"


def _feet(match: Match) -> str:
    if _quoted(match, "'"):
        return match[0]
    one = match[1] == "1" or before_noun(match)
    return f"{quantity(match[1])} {'foot' if one else 'feet'}"


_SIDE = r"(?:\d++\ \d{1,2}/\d{1,2}|\d++(?:\.\d++|/\d{1,2})?+)"

#: Before the units: the marks of feet and inches are quotation marks, too.
RULES: tuple[Rule, ...] = (
    (
        re.compile(r"(?<![\w'.,])([4-7])'(1[01]|\d)(?![\w'\"′″]|[.,]\d|\s\d/\d)"),
        lambda m: f"{cardinal(int(m[1]))} foot {cardinal(int(m[2]))}",
    ),
    (re.compile(r"(?<![\w./,])(\d{1,3} \d/\d{1,2})\s?['′](?=\s|[,;.)]|\Z)"), _feet),
    (
        re.compile(r"(?<![\w.])(\d{1,4})['′]\s?[x×]\s?(\d{1,4})['′](?!\w)"),
        lambda m: f"{decimal(m[1])} by {decimal(m[2])} {'foot' if before_noun(m) else 'feet'}",
    ),
    (
        re.compile(r"(?<![\w.,'])([4-7])\s?ft\s?(\d|1[01])(?!\w|[.,]\d|\s?(?:in|x|ft)\b)"),
        lambda m: f"{cardinal(int(m[1]))} foot {cardinal(int(m[2]))}",
    ),
    (
        re.compile(r"(?<![\w.,])(\d{1,3})[\"″]-(wide|high|tall|long|deep|thick)\b"),
        lambda m: f"{cardinal(int(m[1]))}-inch-{m[2]}",
    ),
    (
        re.compile(
            r"(?<![\w.,/])(\d{1,3}(?:\.\d)?)\s?in"
            r"(?=\s(?:tall|wide|long|deep|high|thick|in diameter|by\s\d|x\s\d)\b)"
        ),
        lambda m: f"{decimal(m[1])} inch{'' if m[1] == '1' else 'es'}",
    ),
    (
        re.compile(
            r"(?<![\w.])(\d{1,3}(?:\.\d++)?+)\s?°\s?([0-5]?\d(?:\.\d++)?+)['′]"
            r"(?:\s?([0-5]?\d(?:\.\d++)?+)(?:[\"″]|''))?(?:\s?([NSEW])(?!\w))?"
        ),
        _arc,
    ),
    (
        re.compile(
            r"(?<![\w.])(\d{1,2})['′]\s?-?\s?(\d{1,2}(?:\.\d|[ -]\d/\d{1,2})?|\d/\d{1,2})"
            r"(?:(?<=/\d)\s)?(?:[\"″]|'')"
        ),
        _height,
    ),
    (
        re.compile(
            r"(?<![\w.])(\d{1,2})\s?(?:ft\.?|feet|foot)\s(\d{1,2}(?:\.\d|\s\d/\d{1,2})?)\s?(?:in\b\.?(?!\s[a-z])|inch(?:es)?\b)"
        ),
        lambda m: _height(m) + ("." if m[0][-1] == "." and ends_sentence(m, at_any_capital=True) else ""),
    ),
    (
        re.compile(r"(?<![\w./'])(\d{1,6})(?:′|'(?=\s(?:tall|wide|long|high|deep|by|x)\b))"),
        lambda m: f"{cardinal(int(m[1]))} {'foot' if m[1] == '1' else 'feet'}",
    ),
    (re.compile(r"(?<![\w./'])(\d{1,4})'(?=\s(?:[a-z]|x\s)|[,;)])"), _feet),
    (
        re.compile(rf"(?<![\w./])({_SIDE})(?:(?<=/\d)\s)?[\"″]\s?[x×]\s?({_SIDE})(?:(?<=/\d)\s)?[\"″]"),
        lambda m: f"{quantity(m[1])} by {quantity(m[2])} inch" + ("" if before_noun(m) else "es"),
    ),
    (
        re.compile(rf"{START}(?<![\w\"]){QUANTITY.join('()')}(?:(?<=/\d)\s)?(?:″|\"(?=\s[A-Za-z]|[,;.)?!]|\Z))"),
        _inches,
    ),
)
