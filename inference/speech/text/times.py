"""Times of day and durations: 10:30am, 14:05, 3 p.m., 9-5pm, 2h 30m."""

import re

from .numbers import cardinal, digits
from .rules import Match, Rule, describes, ends_sentence

_CLOCK = r"([01]?\d|2[0-4]):([0-5]\d)"
_HALF = r"([AaPp])\.?[Mm]\b"
_ZONES = r"(?:[ECMP][SD]?T|GMT|UTC|BST|CES?T|IST|JST|AE[SD]T)"


def _said(hour: int, minute: int, half: str) -> str:
    if half:
        past = "" if not minute else f" {_minutes(minute)}"
        return f"{cardinal(hour)}{past} {half}"
    if minute:
        return f"{cardinal(hour)} {_minutes(minute)}"
    if hour in {0, 24}:
        return "midnight"
    return cardinal(hour) + (" hundred" if hour > 12 else " o'clock")


def _minutes(minute: int) -> str:
    return f"oh {cardinal(minute)}" if minute < 10 else cardinal(minute)


# A moment, not a length of time.
_OF_DAY = re.compile(r"(?:\b(?:[Aa]t|[Bb]y|[Uu]ntil|[Ss]ince|[Ff]rom|[Bb]efore|[Aa]fter)|\d,|[a-z],)\s\Z")
_RATIO = re.compile(r"\b(?:ratio|odds|scale|mix|mixed|proportions?)(?: (?:of|is|at|to|in))*\s\Z")


def _clock(match: Match) -> str:
    if _RATIO.search(match.string[max(0, match.start() - 24) : match.start()]):
        return match[0]
    of_day = match[4] or match[5] or _OF_DAY.search(match.string[max(0, match.start() - 12) : match.start()])
    if match[3] and not of_day:
        return _elapsed(match)
    half = f"{match[4].upper()}M" if match[4] else ""
    said = _said(int(match[1]), int(match[2]), half).removesuffix(f" {half}")
    if match[3] and int(match[3]):
        said += f" and {cardinal(int(match[3]))} second{'' if int(match[3]) == 1 else 's'}"
    if match[6]:
        said += f" point {digits(match[6])}"
    return said + (f" {half}" if half else "") + (" UTC" if match[5] else "")


def _elapsed(match: Match) -> str:
    """1:30:00 -> one hour thirty minutes: seconds are written where a length of time is meant."""
    parts = [(int(match[1]), "hour"), (int(match[2]), "minute"), (int(match[3]), "second")]
    if not any(number for number, _ in parts):
        return "zero seconds"
    if describes(match):  # a 2:05:30 marathon
        return " ".join(f"{cardinal(number)} {unit}" for number, unit in parts if number)
    said = [f"{cardinal(number)} {unit}{'' if number == 1 else 's'}" for number, unit in parts if number]
    if match[6]:
        said[-1] = f"{cardinal(int(match[3]))} point {digits(match[6])} seconds"
    if len(said) > 1 and (int(match[3]) or match[6]):
        said[-1] = "and " + said[-1]
    return " ".join(said)


def _offset(match: Match) -> str:
    """UTC-5, UTC+05:30."""
    sign = "plus" if match[2] == "+" else "minus"
    minutes = f" {_minutes(int(match[4]))}" if match[4] and int(match[4]) else ""
    return f"{match[1]} {sign} {cardinal(int(match[3]))}{minutes}"


def _behind(match: Match) -> str:
    """14:30+01:00 -> fourteen thirty UTC plus one."""
    sign = "plus" if (match[1] or match[2]) == "+" else "minus"
    minutes = f" {_minutes(int(match[4]))}" if int(match[4]) else ""
    return f"Z {sign} {cardinal(int(match[3]))}{minutes}"


def _pointed(match: Match) -> str:
    return f"{match[1]}:{match[2]}"


def _by_the_day(written: str) -> str:
    """0900 -> oh nine hundred."""
    hour, minute = written[:2], written[2:]
    said = f"oh {cardinal(int(hour))}" if hour[0] == "0" and hour != "00" else cardinal(int(hour))
    return f"{said} {'hundred' if minute == '00' else _minutes(int(minute))}"


def _military(match: Match) -> str:
    """0900 hours -> oh nine hundred hours."""
    said = _by_the_day(match["hour"] + match["minute"])
    return f"{match['before'] or ''}{said}" + (" hours" if match["hours"] else "")


def _zone(match: Match) -> str:
    return f"{match[1]} {match[2].replace('.', '').upper()}" + (
        "." if match[2].count(".") > 2 and _ends(match) else ""
    )


def _ends(match: Match) -> bool:
    return ends_sentence(match, at_any_capital=True) and match[2].endswith(".")


def _duration(match: Match) -> str:
    parts = ((match[1], "hour"), (match[2], "minute"), (match[3], "second"))
    return " ".join(f"{cardinal(int(n))} {unit}{'' if int(n) == 1 else 's'}" for n, unit in parts if n)


RULES: tuple[Rule, ...] = (
    (re.compile(r"\b(UTC|GMT)\s?([-−–+])\s?(\d{1,2})(?::?([0-5]\d))?(?![\w:])"), _offset),
    # A full stop or an h where others write a colon.
    (
        re.compile(rf"(?<![\w:.,$£€])(1[0-2]|0?[1-9])\.([0-5]\d)(?=\s?(?:{_HALF}|[AaPp]\.\s?[Mm]\.))"),
        _pointed,
    ),
    (re.compile(r"(?<![\w:.,$£€])([01]?\d|2[0-3])\.([0-5]\d)\s?(?:hrs?|hours?)\b\.?"), _pointed),
    (re.compile(r"(?<=:[0-5]\d)\shrs\b\.?"), lambda _: " hours"),
    # On a prescription.
    (re.compile(r"\bq\s?(\d{1,2})\s?h(?:rs?)?\b"), lambda m: f"every {cardinal(int(m[1]))} hours"),
    (re.compile(r"\b([Nn]oon|[Mm]idnight)\s?[-–]\s?(?=\d)"), lambda m: f"{m[1]} to "),
    (re.compile(r"(?<=\d[ap]m)\s?[-–]\s?(?=(?:noon|midnight)\b)"), lambda _: " to "),
    (re.compile(r"(?<![\w:.,$£€])([01]?\d|2[0-3])\s?[hH]\s?([0-5]\d)(?![\w:]|\s?m)"), _pointed),
    # Of a day where one end begins with a nought.
    (
        re.compile(
            r"(?<![\w:.,$£€-])(?=0|\d{4}\s?[-–]\s?0)((?:[01]\d|2[0-3])[0-5]\d)\s?[-–]\s?((?:[01]\d|2[0-4])[0-5]\d)"
            r"(\s?(?:hrs|hours)\b\.?)?(?![\w:-]|[.,]\d)"
        ),
        lambda m: f"{_by_the_day(m[1])} to {_by_the_day(m[2])}" + (" hours" if m[3] else ""),
    ),
    (
        re.compile(
            r"(?<![\w:.,$£€-])(?P<before>\bat )?(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)"
            r"(?P<hours>\s?(?:hrs|hours)\b\.?|h\b)(?![\w:])"
        ),
        _military,
    ),
    (
        re.compile(
            r"(?P<before>\b(?:at|by|from|until) )(?P<hour>0\d|1\d|2[0-3])(?P<minute>[0-5]\d)"
            r"(?P<hours>(?=\Z|[.,;!?]|\sto\s0))"
            r"(?<=\s0\d{3})"
        ),
        _military,
    ),
    (
        re.compile(
            rf"(?<=\d)(\s?[AaPp][Mm])\.?\s?((?i:{_ZONES})|(?i:e\.s\.t|p\.s\.t|c\.s\.t|m\.s\.t|g\.m\.t)\.?)(?!\w)"
        ),
        _zone,
    ),
    # Both ends of a span become times of their own, said by the rules after.
    (
        re.compile(
            rf"(?<![\w:.,$£€])((?:1[0-2]|0?[1-9])(?::[0-5]\d)?(?:\s?(?:[AaPp]M?m?|[AaPp]\.[Mm]\.))?)\s?[-–]\s?(?=(?:1[0-2]|0?[1-9])(?::[0-5]\d)?\s?{_HALF})"
        ),
        lambda m: m[1].replace(".", "") + " to ",
    ),
    # An offset from UTC, and a minus only after seconds, as 14:30-15:00 is a span.
    (
        re.compile(r"(?:(?<=:[0-5]\d:[0-5]\d)([+−-])|(?<=:[0-5]\d)(\+))(0\d|1[0-4]):?([0-5]\d)(?![\w:])"),
        _behind,
    ),
    (
        re.compile(rf"(?<![\w:.,])({_CLOCK})\s?[-–]\s?(?=(?:1[0-2]|[1-9])(?![\w:]|[.,]\d))"),
        lambda m: m[1] + " to ",
    ),
    (re.compile(rf"(?<![\w:.,])({_CLOCK})\s?[-–]\s?(?={_CLOCK}(?![\d:]))"), lambda m: m[1] + " to "),
    (
        re.compile(
            rf"(?<![\w:.,]){_CLOCK}(?::([0-5]\d))?(?:\s?{_HALF}|\s?(Z)\b)?(\.\d++)?(?:(?=-?ish\b)|(?![\w:]))"
        ),
        _clock,
    ),
    (
        re.compile(rf"(?<![\w:.$£€])(?<!\d,)(1[0-2]|0?[1-9])\s?{_HALF}"),
        lambda m: f"{cardinal(int(m[1]))} {m[2].upper()}M",
    ),
    (
        re.compile(
            r"(?<![\w:.,])(\d{1,3})\s?h(?:rs?)?\s?([0-5]?\d)\s?m(?:in)?s?(?:\s?([0-5]?\d)\s?s(?:ec)?s?)?\b"
        ),
        _duration,
    ),
    (re.compile(r"(?<![\w:.,])()(\d{1,3})\s?m(?:in)?\s?([0-5]?\d)\s?s(?:ec)?s?\b"), _duration),
)
