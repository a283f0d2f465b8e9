"""Dates, and years with their era."""

import re

from .calendar_names import MONTH, MONTH_NAMES, MONTHS, month_name
from .numbers import cardinal, code, ordinal, year
from .rules import Match, Rule, ends_sentence

_DAY = r"(0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"('\d\d|[12]\d{3})(?![\w]|[.,:]\d)"
_AFTER_DAY = r"(?![\w:%°/]|[.,]\d|\s?[-–]\s?\d)"
# What is counted, or what only a modal verb and a march can have before it: "March 10 miles north".
_COUNTED_AFTER = (
    r"(?!\s(?:km|mi|m|kg|lbs|percent|more|other|miles?|people|men|women|blocks?|steps|kilomet\w+|meters|times|feet|yards|hours?|minutes|days|weeks|months"
    r"|years|dollars|students|users|guests|players|of\s(?:us|them|you))\b)"
)
# After a pronoun, "may" and "march" are verbs.
_NO_VERB = r"(?<!\bI )(?<!\b[Ww]e )(?<!\b[Yy]ou )(?<!\b[Tt]hey )(?<!\b[Hh]e )(?<!\b[Ss]he )(?<!\b[Ii]t )"


def _date(month: str, day: int, written_year: str | None) -> str:
    """May third, twenty twenty-six."""
    return f"{month} {ordinal(day)}" + (f", {_full_year(written_year)}" if written_year else "")


def _full_year(written: str) -> str:
    """Two digits mean the century that keeps the date within living memory."""
    number = int(written.lstrip("'"))
    return year(number if number > 99 else number + (1900 if number >= 50 else 2000))


def _valid(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _iso(match: Match) -> str:
    said = _date(MONTHS[int(match[3]) - 1], int(match[4]), match[1])
    return said + (", " if match[5] else "")


def _american(match: Match) -> str:
    month, day = int(match[1]), int(match[3])
    if month > 12 and match[2] == "-" and _valid(day, month):
        return f"the {ordinal(month)} of {MONTHS[day - 1]}, {_full_year(match[4])}"
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


def _event(match: Match) -> str:
    month, day = int(match[1]), int(match[2])
    return _date(MONTHS[month - 1], day, None) if _valid(month, day) else match[0]


def _span(match: Match) -> str:
    """1/15-1/20, where each side can be a day."""
    first, second = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
    if not _valid(*first) or not _valid(*second) or first >= second or first[1] < 9 > second[1]:
        return match[0]
    return " to ".join(_date(MONTHS[month - 1], day, None) for month, day in (first, second))


def _month_of(written_month: str, written_year: str) -> str:
    return f"{MONTHS[int(written_month) - 1]} {short_year(written_year)}"


def _expiry(match: Match) -> str:
    before = match[1].replace("thru", "through")
    if match[1][:3].lower() == "exp" and match[1].rstrip(".:").lower() == "exp":
        before = "Expires" if match[1][0] == "E" else "expires"
    return f"{before} {_month_of(match[2], match[3])}"


def _day_first(match: Match) -> str:
    article = "The" if match[0].startswith("The") else "the"
    said = f"{article} {ordinal(int(match[1]))} of {month_name(match[2])}"
    if match[3]:
        return said + f", {_full_year(match[3])}"
    return said + ("." if match[0].endswith(".") and ends_sentence(match) else "")


def _day_hyphen(match: Match) -> str:
    return f"the {ordinal(int(match[1]))} of {month_name(match[3])}, {_full_year(match[4])}"


def _days_first(match: Match) -> str:
    said = f"the {ordinal(int(match[1]))} to the {ordinal(int(match[2]))} of {month_name(match[3])}"
    return said + (f", {_full_year(match[4])}" if match[4] else "")


def _days(match: Match) -> str:
    said = f"{month_name(match[1])} {ordinal(int(match[2]))} to {ordinal(int(match[3]))}"
    return said + (f", {_full_year(match[4])}" if match[4] else "")


def short_year(written: str) -> str:
    """24 -> twenty-four, 05 -> oh five, 2024 -> twenty twenty-four."""
    if len(written) == 4:
        return year(int(written))
    return f"oh {cardinal(int(written))}" if written[0] == "0" else cardinal(int(written))


#: More of them, which fractions may stand before as well: "a 3/4 order".
_OTHER_EVENTS = (
    r"(?:weekend|dinner|lunch|brunch|breakfast|ceremony|wedding|race|sale|trip|vacation|payment|invoice|statement"
    r"|newsletter|issue|edition|webinar|lecture|talk|demo|rehearsal|performance|auction|primary|debate|tour|visit"
    r"|interview|memo|letter|email|e-mail|agenda|minutes|draft|protests?|shooting|crash|earthquake)"
)
_DATED = (
    r"[Oo]n|[Dd]ue|[Uu]ntil|[Uu]ntill|[Bb]y|[Tt]ill?|[Ss]ince|[Bb]efore|[Aa]fter|[Ff]rom|[Ss]tarting|[Ss]tarts|[Ee]nds"
    r"|[Ee]nding|[Tt]hrough|[Dd]ated?|[Ee]xpires|[Bb]orn|[Dd]eadline|Mon(?:day)?,?|Tue(?:s|sday)?,?|Wed(?:nesday)?,?"
    r"|Thu(?:rs|rsday)?,?|Fri(?:day)?,?|Sat(?:urday)?,?|Sun(?:day)?,?"
)
_EVENTS = (
    r"(?:parade|deadline|holiday|party|game|match|meeting|launch|release|event|show|concert|class|session|update"
    r"|appointment|attacks?|election|birthday|hearing|fireworks|celebrations?|delivery|report|episode|flight|call)"
)
_SLASH_DAY = r"(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])"

#: Of digits alone, and what precedes them.
DIGITS: tuple[Rule, ...] = (
    (
        re.compile(
            r"\b((?i:exp(?:iry|ires|iration)?(?:\sdate)?|valid(?:\s(?:thru|through|until|to|from))?|good\sthru)[.:]?)\s"
            r"(0?[1-9]|1[0-2])/([2-4]\d|20[2-4]\d)(?![\w/])"
        ),
        _expiry,
    ),
    (
        re.compile(
            r"(?<![\w/.-])([12]\d{3})([-/])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?:(T)(?=\d\d:)|(?![\w/-]))"
        ),
        _iso,
    ),
    (re.compile(r"(?<![\w/.-])(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d\d)(?![\w/-])"), _american),
    (re.compile(r"(?<![\w/.-])(\d{1,2})\.(\d{1,2})\.([12]\d{3})(?![\w/-]|\.\d)"), _dotted),
    # A year and a month.
    (
        re.compile(r"(?<![\w/.,-])((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\w/-]|\.\d)"),
        # A season, 2011-12, and not December.
        lambda m: m[0] if int(m[1][2:]) + 1 == int(m[2]) else f"{MONTHS[int(m[2]) - 1]} {year(int(m[1]))}",
    ),
    (
        re.compile(r"(?<![\w/.,-])((?:19|20)\d\d)/(0[1-9]|1[0-2])(?![\w/-]|\.\d)"),
        # As a span of years it would have to rise.
        lambda m: m[0] if int(m[1][2:]) < int(m[2]) else f"{MONTHS[int(m[2]) - 1]} {year(int(m[1]))}",
    ),
    (
        re.compile(r"(?<![\w/.,-])(0?[1-9]|1[0-2])/((?:19|20)\d\d)(?![\w/-]|\.\d)"),
        lambda m: _month_of(m[1], m[2]),
    ),
    (
        re.compile(r"(?<![\w/.,$£€-])(0?[1-9]|1[0-2])/(1[3-9]|2\d)\s?[-–]\s?(1[4-9]|2\d|3[01])(?![\w/-]|[.,]\d)"),
        lambda m: (
            f"{MONTHS[int(m[1]) - 1]} {ordinal(int(m[2]))} to {ordinal(int(m[3]))}"
            if int(m[2]) < int(m[3])
            else m[0]
        ),
    ),
    # A number in a fraction begins with no nought, and twelfths are less than whole.
    (
        re.compile(r"(?<![\w/.,$£€-])(?=0|\d\d/0)(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])(?![\w/-]|[.,]\d)"),
        _event,
    ),
    (
        re.compile(r"(?<![\w/.,$£€-])(1[3-9]|2\d|3[01])/12(?![\w/-]|[.,]\d|\sof\b)"),
        lambda m: _date(MONTHS[11], int(m[1]), None),
    ),
)

#: With a word before, beside or after them.
RULES: tuple[Rule, ...] = (
    # Days between slashes.
    (
        re.compile(
            rf"(?<![\w/.-]){_SLASH_DAY}\s?(?:[-–]|to|through)\s?{_SLASH_DAY}(?![\w/\"″]|\.\d|\s(?:of|in|inch|inches|cups?)\b)"
        ),
        _span,
    ),
    (
        re.compile(
            rf"\b({_DATED}) (?!9/11\b)(\d{{1,2}})/(\d{{1,2}})"
            r"(?![\w/]|\.\d|\s(?:of|inch|cup|mile|tsp|tbsp|to\s\d+/\d+\s(?:of|cup)))"
        ),
        _short,
    ),
    (
        re.compile(rf"\b({_DATED}) (1[3-9]|2\d|3[01])/(0?[1-9]|1[0-2])(?![\w/]|\.\d|\s(?:of|inch|cup|mile)\b)"),
        lambda m: f"{m[1]} {_date(MONTHS[int(m[3]) - 1], int(m[2]), None)}",
    ),
    (re.compile(rf"(?<![\w/.-]){_SLASH_DAY}(?=\s{_EVENTS}\b)"), _event),
    (re.compile(rf"(?<![\w/.-])(?![12]/[2348]\b|3/[48]\b){_SLASH_DAY}(?=\s{_OTHER_EVENTS}\b)"), _event),
    # The month in letters.
    (
        re.compile(
            rf"(?<![\w.,/:$£€-])(0?[1-9]|[12]\d|3[01])([-/])((?i:{MONTH_NAMES}))\2('?\d\d|[12]\d{{3}})(?![\w/-])"
        ),
        _day_hyphen,
    ),
    (
        re.compile(rf"\b((?i:{MONTH_NAMES}))-(0?[1-9]|[12]\d|3[01])(?:-([12]\d{{3}}))?(?![\w-]|[.,]\d)"),
        lambda m: _date(month_name(m[1]), int(m[2]), m[3]),
    ),
    (re.compile(rf"\b(?:the\s)?{_DAY}\s?[-–]\s?{_DAY}\s{MONTH}(?:,?\s{_YEAR})?"), _days_first),
    (
        re.compile(
            rf"(?<![\w.,/:$£€'-])(?:[Tt]he\s)?{_DAY}\s(?:of\s)?(?!(?:may|march|mar|jan|dec)\s[a-z]){MONTH}"
            rf"(?!['’]s)(?:,?\s{_YEAR})?"
        ),
        _day_first,
    ),
    (
        re.compile(
            rf"\b{MONTH}\s{_DAY}(?:\s?[-–]\s?|\sto\s){_DAY}(?![\w:/%]|[.,]\d){_COUNTED_AFTER}(?:,?\s{_YEAR})?"
        ),
        _days,
    ),
    # "In March 30 soldiers died": one is in a month, and on a day.
    (
        re.compile(rf"\b([Ii]n {MONTH_NAMES}) (\d{{1,2}})(?=\s[a-z]{{3,}})"),
        lambda m: f"{m[1]} {cardinal(int(m[2]))}",
    ),
    (
        re.compile(rf"{_NO_VERB}\b{MONTH}\s(?:the\s)?{_DAY}{_AFTER_DAY}{_COUNTED_AFTER}(?:,?\s{_YEAR})?"),
        lambda m: _date(month_name(m[1]), int(m[2]), m[3]),
    ),
    (
        re.compile(rf"\b((?:{MONTH_NAMES}))\b\.?,?\s([12]\d{{3}})(?![\w]|[.,:]\d)"),
        lambda m: f"{month_name(m[1])} {year(int(m[2]))}",
    ),
    (
        re.compile(r"(?<![\w.,])(\d{3,4})\s(A\.D|B\.C|C\.E|B\.C\.E)\.?(?!\w)"),
        lambda m: (
            f"{year(int(m[1])) if len(m[1]) == 4 else code(m[1])} {m[2].replace('.', '')}"
            + ("." if m[0][-1] == "." and ends_sentence(m) else "")
        ),
    ),
)
