"""Signs that are words: mathematics, ampersands, dashes, brackets."""

import re
import unicodedata

from .codes import NAMING, power_or_name
from .money import SIGNS
from .numbers import NUMBER, SIGN, cardinal, decimal, integer
from .rules import STARTERS, Match, Rule

_OPERATORS = {
    "+": " plus ", "-": " minus ", "−": " minus ", "–": " minus ", "*": " times ", "×": " times ",
    "x": " times ", "/": " divided by ",
}  # fmt: skip
_OPERATOR = re.compile(r"(?<=[\d)])\s?([-+−–*×x/])\s?(?=[\d(])")


def _expression(match: Match) -> str:
    return _OPERATOR.sub(lambda sign: _OPERATORS[sign[1]], match[0])


def _power(match: Match) -> str:
    exponent = match[1]
    if exponent in {"2", "3"}:
        return " squared" if exponent == "2" else " cubed"
    sign = "minus " if exponent[0] in "-−" else ""
    bare = exponent.lstrip("-−+")
    return f" to the power of {sign}{integer(bare) if bare.isdigit() else bare}"


def _greek(match: Match) -> str:
    """A letter on its own is a symbol, unless it is a word of a Greek text."""
    around = match.string[max(0, match.start() - _GREEK_NEAR) : match.end() + _GREEK_NEAR]
    if _GREEK_WORD.search(around):
        return match[0]
    name = "sum of" if match[0][0] == "Σ" else unicodedata.name(match[0]).split("LETTER ")[-1].lower()
    return f" {name.replace('lamda', 'lambda').replace('final ', '')} "


def _scientific(match: Match) -> str:
    """-1e-3 -> minus one times ten to the power of minus three."""
    before = {"-": "minus ", "−": "minus ", "+": "plus "}.get(match[1], "")
    sign = "minus " if match[3] == "-" else ""
    return f"{before}{decimal(match[2])} times ten to the power of {sign}{cardinal(int(match[4]))}"


# Their words are long, so that all other rules would have to look through twenty times the text.
_LAST = {
    "‰": " per mille ", "±": " plus or minus ", "≠": " is not equal to ", "≤": " is at most ",
    "≥": " is at least ", "÷": " divided by ", "∞": " infinity ", "√": " square root of ", "∑": " sum of ",
    "∫": " integral of ", "¬": " not ", "∈": " in ", "∂": " partial ", "∀": " for all ", "∃": " there exists ",
    "≈": " is approximately ",
}  # fmt: skip
_SAID_LAST = re.compile(f"[√∑∫] of |[{''.join(_LAST)}]")
_GREEK_NEAR = 200
_GREEK_WORD = re.compile(r"[\u0370-\u03ff]{2}")
_POWER: Rule = (re.compile(r"(?<=[^\W\d]|\))\^\(?([-−+]?(?:\d{1,20}|[a-z]))\)?(?![\w])"), _power)

#: These need the digits on either side.
EXPRESSIONS: tuple[Rule, ...] = (
    (re.compile(r"(?<=[a-z])\sx\s(?=\d{1,3}\s(?:days?|weeks?|months?|nights?)\b)"), lambda _: " for "),
    (re.compile(r"(?<=[a-z])\sx\s(?=\d)"), lambda _: " by "),
    (re.compile(rf"\b({NAMING})\s(\d{{1,3}})([eE])(\d{{1,3}})(?!\w|\.\d)"), power_or_name),
    (re.compile(r"(?<=\d[eE]\d)\s?[-–]\s?(?=\d++(?:\.\d++)?+[eE]\d)"), lambda _: " to "),
    (re.compile(rf"({SIGN})(?<![\w.])(\d++(?:\.\d++)?+)[eE]([-+]?)(\d{{1,3}})(?!\w|\.\d)"), _scientific),
    (
        re.compile(
            rf"(?<![\w.])(?<![-+*/×x−–^(])(?<![-+*/×x−–]\s)\(?{NUMBER}(?:\s?[-+*/×x−–]\s?\(?{NUMBER}\)?)++(?=\s?[=<>]|\sis\s(?:approximately|not\sequal|at\s))"
        ),
        _expression,
    ),
    (re.compile(r"(?<=\d[a-z])\s?-\s?(?=\d)|(?<=\b[a-z])\s-\s(?=\d)"), lambda _: " minus "),
    (re.compile(r"(?<=\d)\^\(?([-−+]?(?:\d{1,20}|[a-z]))\)?(?![\w])"), _power),
    (re.compile(r"(?<=\b[Ii] )<3(?![\w/]|[.,]\d)"), lambda _: "love"),
    (re.compile(r"<\s?(?=[-−]?[\d.$£€])(?!\d{1,3}\s*>)"), lambda _: " less than "),
    (re.compile(r"(?<![-=>])>\s?(?=[-−]?[\d.$£€])"), lambda _: " greater than "),
)

#: After the units, which have powers and dimensions of their own.
PRODUCTS: tuple[Rule, ...] = (
    _POWER,
    (re.compile(r"(?<=[\d)])\s?(?:×|\*\*?)\s?(?=[\d(])"), lambda _: " times "),
)

RULES: tuple[Rule, ...] = (
    _POWER,
    (re.compile(r"(?<=\b[a-z])\s-\s(?=[a-z]\b)"), lambda _: " minus "),
    (re.compile(r"\b([fghpuP])\(([^\W_]{1,5})\)"), lambda m: f"{m[1]} of {m[2]}"),
    (re.compile(r"(?<=[a-z])\s>\s(?=[A-Z])"), lambda _: ", "),
    (re.compile(r"\b([A-Z])–([A-Z])\b|\b(A)-(Z)\b"), lambda m: f"{m[1] or m[3]} to {m[2] or m[4]}"),
    (re.compile(r"\b([CFJ])#(?!\w)"), lambda m: f"{m[1]} sharp"),
    (re.compile(r"(?<=\w)\s*<=\s*(?=\w)"), lambda _: " is at most "),
    (re.compile(r"(?<=\w)\s*>=\s*(?=\w)"), lambda _: " is at least "),
    (re.compile(r"(?<!\s)\s*+(?:(?<![-=])[-=]++>|<[-=]++)\s*+"), lambda _: ", "),
    (re.compile(r"(?<!\S)--(?=[a-z])"), lambda _: "dash dash "),
    (re.compile(r"(?<=\s)-(?=[a-zA-Z](?!\w))"), lambda _: "dash "),
    (re.compile(r"(?<=\w)\s+-\s+(?=\w)|(?<=\S)\s+-{1,3}\s+(?=\S)|-{2,}"), lambda _: " — "),
    (re.compile(r"(?<=\w)–(?=\w)"), lambda _: "-"),
    (re.compile(r"[–—]"), lambda _: " — "),
    (re.compile(r"\s={1,3}\s"), lambda _: " equals "),
    (re.compile(r"\s?(?:!=|=/=)\s?"), lambda _: " is not equal to "),
    (re.compile(r"(?<=[\w)])\s*={1,3}\s*(?=[\w(√-])"), lambda _: " equals "),
    (re.compile(r"(?<=\w)\s<\s(?=\w)|(?<=\b[A-Za-z])<(?=[A-Za-z]\b)"), lambda _: " less than "),
    (re.compile(r"(?<=\w)\s>\s(?=\w)|(?<=\b[A-Za-z])>(?=[A-Za-z]\b)"), lambda _: " greater than "),
    (re.compile(r"&(?:amp;)?&?"), lambda _: " and "),
    (re.compile(r"\+"), lambda _: " plus "),
    (re.compile(r"(?<=[%°])\.(?=[A-Z][a-z])"), lambda _: ". "),
    (re.compile(r"%"), lambda _: " percent "),
    (re.compile(r"°\s?([CF])\b"), lambda m: " degrees " + {"C": "Celsius", "F": "Fahrenheit"}[m[1]]),
    (re.compile(r"°"), lambda _: " degrees "),
    (re.compile(r"(?<=\w)\s?×\s?(?=\w)"), lambda _: " times "),
    (re.compile(r"−(?=\s?\w)"), lambda _: " minus "),
    # Short names stand side by side, TCP/IP; words keep the slash between them.
    (re.compile(r"(?<=[A-Z])/(?=[A-Z])(?<!\d/)|(?<=\bHTTP)/(?=one|two|three)"), lambda _: " "),
    (re.compile(r"(?<=\w)\s/\s(?=\w)"), lambda _: ", "),
    (re.compile(r"\b(yes/no|no/yes)\b", re.IGNORECASE), lambda m: m[1].replace("/", " or ")),
    (re.compile(r"\b([Oo]n/off|ON/OFF)\b"), lambda m: m[1].replace("/", " ")),
    (
        re.compile(
            r"(?<=[a-z]s)/(?=(?:second|minute|hour|day|night|week|month|year|person|user|unit|student|session|gallon|liter|litre"
            r"|mile|pound|ounce|acre|serving|head)\b)"
        ),
        lambda _: " per ",
    ),
    (re.compile(r"(?<=[a-z]{3}s)/s(?!\w)"), lambda _: " per second"),
    (re.compile(r"(?<=\w)/(?=\w)"), lambda _: " slash "),
    (re.compile(r"@(?=\s?\w)|(?<=\w)@"), lambda _: " at "),
    (re.compile(r"(?<=\w)#(?=\w)"), lambda _: " hash "),
    *SIGNS,
    (
        re.compile(r"(?<![\u0370-\u03ff])[ΑαβγΓΔδεζηθΘκλΛμνξΞπΠρΣσςτφΦχψΨωΩ](?![\u0370-\u03ff])(?:(?<=Σ)\sof\b)?"),
        _greek,
    ),
    (re.compile(r"(?<=[)\"])\.(?=[A-Za-z])"), lambda _: ". "),
    (re.compile(r"(?<=[A-Za-z][.!?]\")(?=[A-Z])"), lambda _: " "),
    (re.compile(r"\s[(\[]|[(]"), lambda m: ", " if m[0][-1] == "(" else " "),
    (re.compile(r"\)"), lambda _: " , "),
    (re.compile(r"\s?\|\s?|\s·\s"), lambda _: ", "),
    (_SAID_LAST, lambda m: _LAST[m[0][0]]),
    # Inside a word a full stop is a dot, unless a sentence began without its space.
    (
        re.compile(r"(?:(?<=[A-Za-z][a-z])|(?<=\b[AP]M))\.(?=(?:[A-Z](?:[a-z']*|K))(?:[^\w@/]|\Z))"),
        lambda _: ". ",
    ),
    (re.compile(rf"(?<=[A-Z][A-Z])\.(?=(?:{'|'.join(sorted(STARTERS))})\b)"), lambda _: ". "),
    (re.compile(r"(?<=[^\W_])\.(?=[^\W_])|(?<![\w.])\.(?=[A-Za-z]+\b)"), lambda _: " dot "),
)
