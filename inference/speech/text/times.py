"""Times of day and durations: 10:30am, 14:05, 3 p.m., 9-5pm, 2h 30m."""

import re

from .numbers import cardinal, digits
from .rules import Match, Rule

_CLOCK = r"([01]?\d|2[0-4]):([0-5]\d)"
_HALF = r"([AaPp])\.?[Mm]\b"


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


_RATIO = re.compile(r"\b(?:ratio|odds|scale|mix|mixed|proportions?)(?: (?:of|is|at|to|in))*\s\Z")


def _clock(match: Match) -> str:
    if _RATIO.search(match.string[max(0, match.start() - 24) : match.start()]):
        return match[0]
    said = _said(int(match[1]), int(match[2]), f"{match[4].upper()}M" if match[4] else "")
    if match[3] and int(match[3]):
        said += f" and {cardinal(int(match[3]))} second{'' if int(match[3]) == 1 else 's'}"
    if match[6]:
        said += f" point {digits(match[6])}"
    return said + (" UTC" if match[5] else "")


def _duration(match: Match) -> str:
    parts = ((match[1], "hour"), (match[2], "minute"), (match[3], "second"))
    return " ".join(f"{cardinal(int(n))} {unit}{'' if int(n) == 1 else 's'}" for n, unit in parts if n)


RULES: tuple[Rule, ...] = (
    # Both ends of a span become times of their own, said by the rules after.
    (
        re.compile(
            rf"(?<![\w:.,$£€])((?:1[0-2]|0?[1-9])(?::[0-5]\d)?(?:\s?[AaPp]M?m?)?)\s?[-–]\s?(?=(?:1[0-2]|0?[1-9])(?::[0-5]\d)?\s?{_HALF})"
        ),
        lambda m: m[1] + " to ",
    ),
    (re.compile(rf"(?<![\w:.,])({_CLOCK})\s?[-–]\s?(?={_CLOCK}(?![\d:]))"), lambda m: m[1] + " to "),
    (re.compile(rf"(?<![\w:.,]){_CLOCK}(?::([0-5]\d))?(?:\s?{_HALF}|(Z)\b)?(\.\d++)?(?![\w:])"), _clock),
    (
        re.compile(rf"(?<![\w:.,$£€])(1[0-2]|0?[1-9])\s?{_HALF}"),
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
