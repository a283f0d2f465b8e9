"""Weeks, quarters, halves, fiscal years and decades."""

import re

from .dates import short_year
from .numbers import cardinal, year
from .rules import Match, Rule

_TENS = {
    "0": "hundreds", "1": "tens", "2": "twenties", "3": "thirties", "4": "forties", "5": "fifties",
    "6": "sixties", "7": "seventies", "8": "eighties", "9": "nineties",
}  # fmt: skip
_QUARTERS = {"1": "first", "2": "second", "3": "third", "4": "fourth"}


def _decade(match: Match) -> str:
    century, ten = int(match[1]), match[2]
    if ten == "0":
        return "two thousands" if century == 20 else f"{cardinal(century)} hundreds"
    return f"{cardinal(century)} {_TENS[ten]}"


def _fiscal(match: Match) -> str:
    said = f"{match[1]} {short_year(match[2])}"
    return said + (f" to {short_year(match[3])}" if match[3] else "")


#: Letters tell them from dates, which would take their digits.
QUARTERS: tuple[Rule, ...] = (
    (
        re.compile(r"(?<![\w.,-])((?:19|20)\d\d)-?W(0[1-9]|[1-4]\d|5[0-3])(?![\w-])"),
        lambda m: f"week {cardinal(int(m[2]))} of {year(int(m[1]))}",
    ),
    (
        re.compile(r"\bQ([1-4])\s?[-–]\s?Q?([1-4])\b(?![/-])"),
        lambda m: f"Q {cardinal(int(m[1]))} to Q {cardinal(int(m[2]))}",
    ),
    (
        re.compile(r"\bQ([1-4])\s?(?:[/-]\s?(?:FY)?|')(\d{4}|\d\d)\b"),
        lambda m: f"Q {cardinal(int(m[1]))} {short_year(m[2])}",
    ),
    (re.compile(r"\b((?:19|20)\d\d)-?Q([1-4])\b"), lambda m: f"Q {cardinal(int(m[2]))} {year(int(m[1]))}"),
    (
        re.compile(r"\b([1-4])Q\s?'?(\d{4}|\d\d)\b"),
        lambda m: f"the {_QUARTERS[m[1]]} quarter of {short_year(m[2])}",
    ),
    (re.compile(r"(?<=\d(?:st|nd|rd|th) )qtr\b"), lambda _: "quarter"),
    (re.compile(r"\b([1-4])Q(?!\w)"), lambda m: f"{_QUARTERS[m[1]]} quarter"),
    (
        re.compile(r"\b([12])H\s?'?(\d{4}|\d\d)\b"),
        lambda m: f"the {_QUARTERS[m[1]]} half of {short_year(m[2])}",
    ),
    (re.compile(r"(?<=\bFY\d\d)\s?[-–]\s?(?=FY\d)"), lambda _: " to "),
    (re.compile(r"\bH([12])\s?'(\d\d)\b"), lambda m: f"H {cardinal(int(m[1]))} {short_year(m[2])}"),
    (re.compile(r"\b(FY)\s?'?(\d{4}|\d\d)(?:\s?[-–/]\s?(\d{4}|\d\d))?\b"), _fiscal),
)

#: What is left of years when the dates have theirs.
DECADES: tuple[Rule, ...] = (
    (re.compile(r"(?<=\d0s)\s?[-–]\s?(?='?\d{2,4}s\b)"), lambda _: " to "),
    (re.compile(r"(?<![\w.,])(1[1-9]|20)(\d)0'?\ss\b"), _decade),
    (re.compile(r"(?<![\w.,])([12]\d)(\d)0'?s\b"), _decade),
    (re.compile(r"(?:(?<!\w)'|(?<=[-–])|(?<=s to ))([1-9])0'?s\b"), lambda m: _TENS[m[1]]),
    (
        re.compile(r"(?<![\w.,])([2-9])0s (and|or|to) ([2-9])0s\b"),
        lambda m: f"{_TENS[m[1]]} {m[2]} {_TENS[m[3]]}",
    ),
    (re.compile(r"(?<![\w.,$'])([2-9])0's(?=\s[a-z]|[.,;)]|\Z)"), lambda m: _TENS[m[1]]),
    (
        re.compile(r"(?<=\b[Tt]he )00'?s\b|(?<=\bearly )00s\b|(?<=\blate )00s\b|(?<![\w.,])00s(?=\s[a-z])"),
        lambda _: "two thousands",
    ),
    (
        re.compile(r"(?<!\w)'(\d\d)\s?[-–]\s?'?(\d\d)(?!\w|[.,:]\d)"),
        lambda m: f"{short_year(m[1])} to {short_year(m[2])}",
    ),
    (
        re.compile(
            r"\b(roaring|swinging|booming|turbulent|wild|in|the|his|her|their|my|our|your|early|late|mid|low|high|upper|lower)"
            r" ([2-9])0'?s\b(?!\s(?:flat|or\sless|left|more|later|ago|apart)\b)",
            re.IGNORECASE,
        ),
        lambda m: f"{m[1]} {_TENS[m[2]]}",
    ),
    (
        re.compile(
            r"(?<![\w.,])([2-9])0s(?=[\s-](?:music|hits?|disco|style|styled|band|bands|rock|pop|fashion|movies?|films?|songs?"
            r"|era|kids?|vibes?|look|hair|nostalgia|sitcoms?|cartoons?|retro|cars?|party|parties|nights?|themed?|punk"
            r"|synth|metal|jazz|soul|funk|dance|tv|TV|shows?|radio|playlist|classics?|throwback|icons?|stars?|child"
            r"|bab(?:y|ies)|teens?|models?|rap|grunge|house|techno|culture|aesthetic|decor|inspired|clothes|dress"
            r"|sound|sounds|design|computers?|games?|toys?|diners?|flappers?|housewife|haircuts?|drama|comed(?:y|ies)|supermodels?|boy|girl|action)\b)"
        ),
        lambda m: _TENS[m[1]],
    ),
    (re.compile(r"(?<!\w)'(\d\d)\b(?!['.,]?\d)"), lambda m: short_year(m[1])),
)
