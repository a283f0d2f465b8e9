"""Days and months by their names, as they stand without a date: "Mon.-Fri.", "Jan./Feb."."""

import re

from .rules import Match, Rule, ends_sentence

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday",
    "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

MONTH_NAMES = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
# In small letters and capitals, too.
MONTH = rf"((?i:{MONTH_NAMES}))\b\.?"


def month_name(written: str) -> str:
    return next(month for month in MONTHS if month.startswith(written[:3].capitalize()))


_DAY_NAME = r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:s|nes|r|rs|ur|urs)?(?:day)?\b\.?"
_SLASHED_DAYS = r"(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"


def _day_name(match: Match) -> str:
    return _DAYS[match[1]] + ("." if ends_sentence(match) else "")


#: Days and months without a date.
RULES: tuple[Rule, ...] = (
    (
        re.compile(rf"\b{_SLASHED_DAYS}(?:(?:/{_SLASHED_DAYS})+|(?:-{_SLASHED_DAYS}){{2,}})\b\.?"),
        lambda m: ", ".join(_DAYS[day[:3]] for day in re.findall(r"[A-Z][a-z]+", m[0])),
    ),
    (
        re.compile(rf"{_DAY_NAME}\s?([-–&]|and|to|through)\s?{_DAY_NAME}"),
        lambda m: (
            f"{_DAYS[m[1]]} {'to' if m[2] in '-–' else 'and' if m[2] == '&' else m[2]} {_DAYS[m[3]]}"
            + ("." if m[0][-1] == "." and ends_sentence(m) else "")
        ),
    ),
    (
        re.compile(_DAY_NAME + r"(,?)\s(?=\d{1,2}(?:\s|:|[ap]m|st|nd|rd|th)|" + MONTH + ")"),
        lambda m: f"{_DAYS[m[1]]}{m[2]} ",
    ),
    (re.compile(rf"(?<!\b[Tt]he )(?<!\d){_DAY_NAME[:-3]}\.(?!\w)"), _day_name),
    (
        re.compile(rf"\b({_SLASHED_DAYS}),\s(?={_SLASHED_DAYS}\b|[A-Z][a-z]+day\b)"),
        lambda m: f"{_DAYS[m[1][:3]]}, ",
    ),
    # "Jan 1-Feb 2".
    (
        re.compile(rf"(?<=\d)\s?[-–]\s?(?={MONTH_NAMES}\b\.?\s(?:0?[1-9]|[12]\d|3[01])(?!\w|[.,]\d))"),
        lambda _: " to ",
    ),
    (re.compile(r"\bM-F\b"), lambda _: "Monday to Friday"),
    (
        re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?=\s'\d\d(?!\w))"),
        lambda m: month_name(m[1]),
    ),
    (
        re.compile(rf"\b({MONTH_NAMES})/({MONTH_NAMES})\b"),
        lambda m: f"{month_name(m[1])}, {month_name(m[2])}",
    ),
    (
        re.compile(rf"\b({MONTH_NAMES})\b\.?\s?[-–]\s?({MONTH_NAMES})\b\.?"),
        lambda m: (
            f"{month_name(m[1])} to {month_name(m[2])}" + ("." if m[0][-1] == "." and ends_sentence(m) else "")
        ),
    ),
    (
        re.compile(r"(?<!\d )(?<!\d[a-z]{2} )\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?!\w|\s\d)"),
        lambda m: month_name(m[1]) + ("." if ends_sentence(m) else ""),
    ),
)
