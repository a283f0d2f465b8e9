"""Two numbers and a slash: parts of a whole, scores, steps, odds; and numbers with a part, "3-1/4"."""

import re
from string import ascii_letters

from .calendar_names import MONTHS
from .numbers import SIGN, decimal, fraction, integer, ordinal, quantity, year
from .rules import Match, Rule

_PARTS = frozenset({
    "2", "3", "4", "5", "6", "8", "16", "32", "64",
})  # fmt: skip
_STEPS = re.compile(
    r"\b(?:steps?|pages?|parts?|slides?|questions?|chapters?|levels?|lessons?|rounds?|tasks?|items?|days?|weeks?|stages?"
    r"|episodes?|phases?|lines?|batch|class|file|disc|disk|volumes?|units?|attempts?|tests?|sheets?|photos?|images?"
    r"|progress|videos?|ep|clip|track|exercise|message|tweet|post|module|section):?\s\Z",
    re.IGNORECASE,
)
_ODDS = re.compile(
    r"\b(?:odds|bets?|priced?|favou?rite|outsider|shot)(?:\s(?:of|at|is|are|were))*\s\Z", re.IGNORECASE
)
_SCORED = re.compile(
    r"\b(?:rated?|rates|score[ds]?|scoring|rating|ratings|gave|give|gives|giving|got|gets?|finished|earned|received"
    r"|awarded|perfect|solid|grade|mark|result)(?:\s(?:it|them|this|that|him|her|of|at|a|an|was|is))*:?\s\Z",
    re.IGNORECASE,
)
_SHARED = re.compile(
    r"\s(?!inches|feet|cups|miles|hours|pounds|ounces|tea|table|yards|gallons|quarts|pints|liters|litres|meters|metres"
    r"|kilo|centi|milli|acres|minutes|seconds|days|weeks|months|years|dollars|euros|cents|turns|lengths|rings|notes"
    r"|is\b|was\b|has\b|its\b|as\b|this\b|does\b|plus\b|times\b|less\b|minus\b|equals\b|across\b|versus\b)"
    r"(?:people|men|women|children"
    r"|(?:would|rating|stars?|from (?:me|us)|overall|correct|right|passed|failed|answered)\b|[a-z]{3,}s\b)"
)
# The 45th of its year: "regulation 45/2026".
_NUMBERED = re.compile(r"\d{2,4}/(?:19[5-9]|20[0-4])\d\Z")
# The year first, as in laws of the Union: 2016/679.
_YEAR = re.compile(r"(?:19[5-9]|20[0-4])\d/\d{1,4}\Z")
_DAYS = frozenset({21, 22, 23, 24, 26, 27, 28, 29, 31})
_WHOLE_SPAN = re.compile(r"(?:7 days|30 days|12 months|24 hours|52 weeks)\b")
_WHOLE_FIRST = frozenset({
    "5", "10", "15", "20", "25", "30", "35", "40", "45", "50", "60", "70", "75", "80", "90", "100",
    "120", "150", "200", "500",
})  # fmt: skip
_RATIO_NAMES = {"24/7/365": "twenty-four seven three sixty-five",
                "365/24/7": "three sixty-five twenty-four seven",
                "24/7": "twenty-four seven",
                "9/11": "nine eleven", "50/50": "fifty-fifty", "20/20": "twenty-twenty",
                "60/40": "sixty-forty", "70/30": "seventy-thirty", "80/20": "eighty-twenty",
                "90/10": "ninety-ten"}  # fmt: skip


def _shared(match: Match) -> str:
    """A part of a whole, unless it counts: eight out of ten, page three of twelve."""
    top, bottom = match[1], match[2]
    if _NUMBERED.match(match[0]):
        return f"{integer(top)} slash {year(int(bottom))}"
    before = match.string[max(0, match.start() - 40) : match.start()]
    if not before[-2:-1].isalpha() and not before.endswith((": ", "(")):
        before = ""  # no word that could say what it counts
    after = match.string[match.end() : match.end() + 24]
    if len(top) > 4 or len(bottom) > 4 or int(top) > int(bottom) or after.startswith(" of "):
        if _ODDS.search(before):
            return f"{integer(top)} to {integer(bottom)}"
        if _YEAR.match(f"{top}/{bottom}"):
            return f"{year(int(top))} slash {integer(bottom)}"
        if bottom == "10" and len(top) == 2 and not after.startswith(" of "):
            return f"{integer(top)} out of ten"  # better than perfect
        return fraction(top, bottom)
    if _ODDS.search(before):
        return f"{integer(top)} to {integer(bottom)}"
    if _STEPS.search(before):
        return f"{integer(top)} of {integer(bottom)}"
    scored = _SCORED.search(before) or _SHARED.match(after) or _WHOLE_SPAN.match(f"{bottom}{after}")
    if scored and bottom not in {"2", "3", "4"}:
        return f"{integer(top)} out of {integer(bottom)}"
    if top == bottom and bottom not in _WHOLE_FIRST:
        return f"{integer(top)} of {integer(bottom)}"
    # A day, where as a part of a whole it would have no name.
    if not scored and int(top) in range(1, 13) and (int(bottom) in _DAYS or match[0] == "12/25"):
        return f"{MONTHS[int(top) - 1]} {ordinal(int(bottom))}"
    counted = bottom in _WHOLE_FIRST and (bottom != "5" or top == bottom) and top not in {"0", "1"}
    starred = bottom == "5" and before.endswith("(") and after.startswith(")")
    if counted or starred or scored:
        return f"{integer(top)} out of {integer(bottom)}"
    return fraction(top, bottom)


def _article_part(match: Match) -> str:
    """A 1/4 share is a quarter share."""
    part = fraction("1", match[2]).removeprefix("one ")
    return f"{match[1]}{'n' if part.startswith('e') else ''} {part}"


def _mixed(match: Match) -> str:
    """3-1/4 is one number where the part is a proper one, as carpenters and cooks write it."""
    if match[3] not in _PARTS or int(match[2]) >= int(match[3]):
        return match[0]
    return f"{match[1]} {match[2]}/{match[3]}"


#: Before every family that looks for a quantity.
MIXED: tuple[Rule, ...] = (
    (
        re.compile(r"(?<![\w./])20/(?!20\b)(\d{2,3})(?=\s(?:vision|eyesight|sight|acuity)\b)"),
        lambda m: f"twenty {integer(m[1])}",
    ),
    (re.compile(r"(?<![\w.])24\s?[x×]\s?7(?!\w|[.,]\d)"), lambda _: "24/7"),
    # Spaces around the slashes change nothing.
    (re.compile(r"(?<![\w.,/$£€¥:#-])(\d\d?) / (\d\d?) / (\d{4})(?![\w/:%°-])"), lambda m: "/".join(m.groups())),
    (
        re.compile(r"(?<![\w.,/$£€¥:#-])(?<!/ )(\d{1,4}) / (\d{1,4})(?![\w/:%°-]|[.,]\d| /)"),
        lambda m: f"{m[1]}/{m[2]}",
    ),
    (
        re.compile(r"(?<![\w/.])1/(\d{2,4})(?:s|\ss(?:ec)?)(?!\w)"),
        lambda m: f"one {ordinal(int(m[1])).removeprefix('one ')} of a second",
    ),
    (
        re.compile(r"(?<![\w./-])([2-9]|12)/([248]|16)(?=[\s-](?:time|signature|beat|meter|metre)\b)"),
        lambda m: f"{integer(m[1])} {integer(m[2])}",
    ),
    (
        re.compile(r"(?<![\w./-])1/(\d{1,9})(?=\s(?:chance|odds|probability|risk|shot|likelihood)\b)"),
        lambda m: f"one in {integer(m[1])}",
    ),
    (
        re.compile(
            r"\b([Aa])n?\s1/([2-46-9]|1[1-9]|32|64)(?=[\s-](?!of\b|stars?\b|rating\b|score\b|review\b|from\b|for\b)[a-z])"
        ),
        _article_part,
    ),
    (re.compile(r"(?<![\w./,-])(\d{1,4})-(\d{1,2})/(\d{1,2})(?=(?:-[a-z]|[^\w/-]|\Z))"), _mixed),
)

RULES: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<![\w./-])1/2(?=\s(?:price|off|time|day|hour|way|full|empty|moon|term|marathon|size|board|pint)\b)"
        ),
        lambda _: "half",
    ),
    (re.compile(r"(?<![\w./-])1/([fnxyzN])(?![\w/-]|\.\w)"), lambda m: f"one over {m[1]}"),
    (
        re.compile(rf"(?<![\w/])(?:{'|'.join(_RATIO_NAMES)})(?![\w/])"),
        lambda m: _RATIO_NAMES[m[0]],
    ),
    (
        re.compile(r"(?<![\w/.])(\d{1,3}\.\d{1,2})/(\d{1,3})(?![\w/]|\.\d)"),
        lambda m: f"{decimal(m[1])} out of {integer(m[2])}",
    ),
    (
        re.compile(rf"{SIGN}(?<![\w/.])((?:\d++\ )?+\d++/\d++)(?:rd|th|nd|st)s?(?![\w/])", re.IGNORECASE),
        lambda m: quantity(m[0].rstrip(ascii_letters)),
    ),
    (re.compile(rf"{SIGN}(?<![\w/.])\d++\ \d++/\d++(?![\w/])(?!\.\d)"), lambda m: quantity(m[0])),
    (re.compile(r"(?<![\w/.\]°%)−+-])(\d++)/(\d++)(?![\w/])(?!\.\d)"), _shared),
    (re.compile(rf"{SIGN}(?<![\w/.])\d++/\d++(?![\w/])(?!\.\d)"), lambda m: quantity(m[0])),
)
