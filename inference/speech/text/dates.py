"""Dates, years with their era, and decades."""

import re

from .numbers import cardinal, ordinal, year
from .rules import Match, Rule, ends_sentence

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday",
    "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"(0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"([12]\d{3})(?![\w]|[.,:]\d)"
_AFTER_DAY = r"(?![\w:%°/]|[.,]\d|\s?[-–]\s?\d)"
_TENS = {
    "1": "tens", "2": "twenties", "3": "thirties", "4": "forties", "5": "fifties", "6": "sixties",
    "7": "seventies", "8": "eighties", "9": "nineties",
}  # fmt: skip


def _month(written: str) -> str:
    return next(month for month in MONTHS if month.startswith(written[:3]))


def _date(month: str, day: int, written_year: str | None) -> str:
    """May third, twenty twenty-six."""
    return f"{month} {ordinal(day)}" + (f", {_full_year(written_year)}" if written_year else "")


def _full_year(written: str) -> str:
    """Two digits mean the century that keeps the date within living memory."""
    number = int(written)
    return year(number if len(written) == 4 else number + (1900 if number >= 50 else 2000))


def _valid(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _iso(match: Match) -> str:
    said = _date(MONTHS[int(match[3]) - 1], int(match[4]), match[1])
    return said + (", " if match[5] else "")


def _american(match: Match) -> str:
    month, day = int(match[1]), int(match[3])
    if month > 12:
        month, day = day, month
    return _date(MONTHS[month - 1], day, match[4]) if _valid(month, day) else match[0]


def _dotted(match: Match) -> str:
    day, month = int(match[1]), int(match[2])
    if not _valid(month, day):
        return match[0]
    return f"the {ordinal(day)} of {MONTHS[month - 1]}, {year(int(match[3]))}"


def _short(match: Match) -> str:
    month, day = int(match[2]), int(match[3])
    return f"{match[1]} {_date(MONTHS[month - 1], day, None)}" if _valid(month, day) else match[0]


def _day_first(match: Match) -> str:
    said = f"the {ordinal(int(match[1]))} of {_month(match[2])}"
    return said + (f", {year(int(match[3]))}" if match[3] else "")


def _days_first(match: Match) -> str:
    said = f"the {ordinal(int(match[1]))} to the {ordinal(int(match[2]))} of {_month(match[3])}"
    return said + (f", {year(int(match[4]))}" if match[4] else "")


def _days(match: Match) -> str:
    said = f"{_month(match[1])} {ordinal(int(match[2]))} to {ordinal(int(match[3]))}"
    return said + (f", {year(int(match[4]))}" if match[4] else "")


def _decade(match: Match) -> str:
    century, ten = int(match[1]), match[2]
    if ten == "0":
        return "two thousands" if century == 20 else f"{cardinal(century)} hundreds"
    return f"{cardinal(century)} {_TENS[ten]}"


def _short_year(match: Match) -> str:
    return f"oh {cardinal(int(match[1]))}" if match[1][0] == "0" else cardinal(int(match[1]))


_DAY_NAME = r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:s|nes|r|rs|ur|urs)?(?:day)?\b\.?"

#: Days and months without a date.
NAMES: tuple[Rule, ...] = (
    (
        re.compile(rf"{_DAY_NAME}\s?([-–&]|and|to|through)\s?{_DAY_NAME}"),
        lambda m: f"{_DAYS[m[1]]} {'to' if m[2] in '-–' else 'and' if m[2] == '&' else m[2]} {_DAYS[m[3]]}",
    ),
    (
        re.compile(_DAY_NAME + r"(,?)\s(?=\d{1,2}(?:\s|:|[ap]m)|" + _MONTH + ")"),
        lambda m: f"{_DAYS[m[1]]}{m[2]} ",
    ),
    (re.compile(rf"\b{_MONTH}\s?[-–]\s?{_MONTH}"), lambda m: f"{_month(m[1])} to {_month(m[2])}"),
    (
        re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?!\w|\s\d)"),
        lambda m: _month(m[1]) + ("." if ends_sentence(m) else ""),
    ),
)

RULES: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<![\w/.-])([12]\d{3})([-/])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?:(T)(?=\d\d:)|(?![\w/-]))"
        ),
        _iso,
    ),
    (re.compile(r"(?<![\w/.-])(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d\d)(?![\w/-])"), _american),
    (re.compile(r"(?<![\w/.-])(\d{1,2})\.(\d{1,2})\.([12]\d{3})(?![\w/-]|\.\d)"), _dotted),
    (re.compile(r"\b([Oo]n|[Dd]ue|[Uu]ntil) (\d{1,2})/(\d{1,2})(?![\w/]|\.\d)"), _short),
    (re.compile(rf"\b(?:the\s)?{_DAY}\s?[-–]\s?{_DAY}\s{_MONTH}(?:,?\s{_YEAR})?"), _days_first),
    (re.compile(rf"(?<![\w.,/:$£€-])(?:the\s)?{_DAY}\s(?:of\s)?{_MONTH}(?:,?\s{_YEAR})?"), _day_first),
    (re.compile(rf"\b{_MONTH}\s{_DAY}\s?[-–]\s?{_DAY}(?!\w)(?:,?\s{_YEAR})?"), _days),
    (
        re.compile(rf"\b{_MONTH}\s(?:the\s)?{_DAY}{_AFTER_DAY}(?:,?\s{_YEAR})?"),
        lambda m: _date(_month(m[1]), int(m[2]), m[3]),
    ),
    (re.compile(rf"\b{_MONTH},?\s{_YEAR}"), lambda m: f"{_month(m[1])} {year(int(m[2]))}"),
    (re.compile(r"(?<![\w.,])([12]\d)(\d)0'?s\b"), _decade),
    (re.compile(r"(?:(?<!\w)'|(?<=[-–]))([1-9])0'?s\b"), lambda m: _TENS[m[1]]),
    (
        re.compile(
            r"\b(in|the|his|her|their|my|our|your|early|late|mid|low|high|upper|lower) ([2-9])0s\b",
            re.IGNORECASE,
        ),
        lambda m: f"{m[1]} {_TENS[m[2]]}",
    ),
    (re.compile(r"(?<!\w)'(\d\d)\b(?!['.,]?\d)"), _short_year),
)
