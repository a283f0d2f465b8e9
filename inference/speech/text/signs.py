"""Signs that belong to what they touch: minus before a letter, grades, blood groups, comparisons."""

import re

from .rules import Match, Rule

_GREEK = r"(?:pi|infinity|theta|alpha|beta|gamma|delta|sigma|lambda|omega|phi|mu)"
_BLOOD = re.compile(r"\b(?:blood|donors?|types?|rhesus)\b", re.IGNORECASE)

_EMPHASIS = re.compile(r"(?<![\w*])\*++(?=\w)[^*]*\Z")


def _graded(match: Match) -> str:
    """C- is a minus, AB- a negative blood group."""
    near = match.string[max(0, match.start() - 30) : match.end() + 15]
    plus = match[2] == "+"
    if match[1] in {"AB", "O"} or _BLOOD.search(near):
        return f"{match[1]} {'positive' if plus else 'negative'}"
    return f"{match[1]} {'plus' if plus else 'minus'}"


def _starred(match: Match) -> str:
    """An A* is a grade or an algorithm, unless the star closes an emphasis."""
    before = match.string[max(0, match.start() - 80) : match.start()]
    return match[0] if _EMPHASIS.search(before) else f"{match[1]} star"


_COMPARED = {
    ">=": "at least", "≥": "at least", "<=": "at most", "≤": "at most", "==": "equals", "!=": "not equal to",
}  # fmt: skip


def _compared(match: Match) -> str:
    said = _COMPARED[match[1]]
    after_word = match.string[max(0, match.start() - 1) : match.start()].isalnum()
    return f" {'is ' if after_word and match[1] != '==' else ''}{said} "


RULES: tuple[Rule, ...] = (
    # Before a launch, and not the tank T-34.
    (
        re.compile(r"\bT-(?=\d++(?::\d\d|\s(?:(?:second|minute|hour|day)s?|and (?:counting|holding))\b))"),
        lambda _: "T minus ",
    ),
    (re.compile(r"\+\s?/\s?[-−–]"), lambda _: " plus or minus "),
    (re.compile(r"(?:(?<=\w)\s?|\A|\s|(?<=[(\[,;:]))(>=|<=|==|!=|≥|≤)\s?(?=[-−]?[\d.$£€])"), _compared),
    (re.compile(r"\b(Cl|OH|Br|NO3|HCO3|HSO4|H2PO4|MnO4|ClO4)[-−](?![\w-])"), lambda m: f"{m[1]} minus"),
    (re.compile(r"(?<![\w.-])([xynk])-(?=\d{1,3}(?![\w-]|\.\d))"), lambda m: f"{m[1]} minus "),
    (re.compile(r"~\s?(?=[\d$£€])"), lambda _: "about "),
    (
        re.compile(r"(?<![\w+-])(\d++)\*\s(?=(?:hotel|review|rating|restaurant|resort)s?\b)"),
        lambda m: f"{m[1]}-star ",
    ),
    (re.compile(r"\bRh\s?([-−–+])(?!\w)"), lambda m: f"Rh {'positive' if m[1] == '+' else 'negative'}"),
    (
        re.compile(
            r"(?<![\w'./+-])(AB|O|AAA|AA|A|BBB|BB|B|CCC|CC|C|D)([-−–+])(?![\w+=-]|\s(?:and|or|to)\s\w+-\w|\s?[\d(=])"
        ),
        _graded,
    ),
    (re.compile(r"(?<![\w*])([A-Z])\*(?![\w*])"), _starred),
    (re.compile(rf"(?<![\w)-])[-−](?={_GREEK}\b|[∞√])"), lambda _: "minus "),
    (
        re.compile(
            r"(?:\A|(?<=\band )|(?<=\bor )|(?<=\bto )|(?<=\bis )|(?<=[=(])|(?<=[=(] ))[-−](?=[xyz]\b(?!-))"
        ),
        lambda _: "minus ",
    ),
)
