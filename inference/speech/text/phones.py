"""Numbers that are dialled or copied, said digit by digit in their groups: telephones, cards, accounts, ISBN."""

import re

from .codes import MAKERS, several
from .numbers import code, digits, spell_out
from .rules import Match, Rule


def _groups(written: str) -> str:
    """Digit by digit, with a pause between the groups."""
    return ", ".join(map(digits, re.findall(r"\d+", written)))


def _phone(match: Match) -> str:
    return _groups(match[0])


def _international(match: Match) -> str:
    if not 8 <= sum(map(str.isdigit, match[0])) <= 15:
        return match[0]
    return "plus " + _groups(match[0])


def _local(match: Match) -> str:
    """555-0123, but not the span 800-1200."""
    return match[0] if match[2].endswith("00") else _groups(match[0])


def _vanity(match: Match) -> str:
    """1-800-GOT-JUNK -> one eight hundred got junk."""
    if match[3]:
        return f"{digits(match[3])} {match[4].lower()}"
    words = (code(part) if part.isdigit() else part.lower() for part in match[2].split("-"))
    return f"one {code(match[1])} {' '.join(words)}"


def _tax_free(match: Match) -> str:
    """401(k), 403(b), 501(c)(3) -> four oh one k."""
    plan = re.findall(r"\d+|[a-z]", match[0][:-1] if match[0][-1] == "s" else match[0])
    said = " ".join(code(part) if part.isdigit() else part for part in plan)
    return said + ("s" if match[0][-1] == "s" else "")


RULES: tuple[Rule, ...] = (
    # Several of a model, before they are taken for seconds.
    (re.compile(rf"\b({MAKERS})\s(\d{{3}})s(?!\w)"), lambda m: f"{m[1]} {code(m[2])}s"),
    (
        re.compile(r"(?<![\w.,/-])(0\d{1,4})-(\d{5,8})(?![\w-]|[.,]\d)"),
        lambda m: f"{digits(m[1])}, {digits(m[2])}",
    ),
    (
        re.compile(r"(?<![\w-])(?:1-(8\d\d|900)-([A-Z]+(?:-(?:[A-Z]+|\d{1,2}))*)|(\d{3})-([A-Z]{4}))(?![\w-])"),
        _vanity,
    ),
    (re.compile(r"(?<![\w-])([A-Z]{1,3})-(\d{1,3})s(?![\w-])"), several),
    (
        re.compile(
            r"(?<![\w.])(?:401|403|457|529|501)(?:\s?(?:\([a-z]\)(?:\(\d\))?|[kb](?!\w)|k(?=s\b))s?(?!\w)|(?<=529)(?=\splans?\b))"
        ),
        _tax_free,
    ),
    (re.compile(r"(?<![\w.,+-])0\d(?:[ .]\d\d){4}(?![\w-]|[.,]\d)"), _phone),
    (
        re.compile(r"(?<![\w-])[A-Z]{2}\d\d(?:\s[A-Z0-9]{4}){3,7}(?:\s[A-Z0-9]{1,3})?(?![\w-])"),
        lambda m: ", ".join(map(spell_out, m[0].split(" "))),
    ),
    (re.compile(r"(?<![\w-])(?!19|20)[A-Z]{2}\d{2}[A-Z0-9]{11,30}(?![\w-])"), lambda m: spell_out(m[0])),
    (re.compile(r"(?<![\w.,/-])\d\d-\d{7}(?![\w-]|[.,]\d)"), _phone),
    (
        re.compile(
            r"\b(ISSN|ISBN|EIN|SSN|IMEI|VAT|TIN|SKU|UPC|EAN)(?:\s(?:is|no\.?|number|code))?[:#]?\s(\d[\d-]{3,20}[\dX])(?!\w)"
        ),
        lambda m: f"{m[1]} " + ", ".join(map(spell_out, filter(None, m[2].split("-")))),
    ),
    (re.compile(r"\(\d{3}\)[\s.-]{0,2}\d{3}[\s.-]\d{4}(?![\w-]|\.\d)"), _phone),
    (
        re.compile(r"(?<![\w-])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![\w-])"),
        lambda m: ", ".join(map(spell_out, m[0].split("-"))),
    ),
    (re.compile(r"(?<![\w.])\+\d{1,3}(?:[\s.-]?\(?\d{1,5}\)?){2,6}(?!\d)"), _international),
    (
        re.compile(r"(?<![\w.+-])(?:1[\s.-])?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}(?![\w-]|\.\d)"),
        _phone,
    ),
    (re.compile(r"(?<![\w.,+-])\(?0\d{2,4}\)?[\s-]\d{3,4}(?:[\s-]?\d{3,4})?(?![\w-]|[.,]\d)"), _phone),
    (re.compile(r"(?<![\w.,/-])(\d{3})-(\d{4})(?![\w/-]|[.,]\d)"), _local),
    (re.compile(r"(?<![\w.,-])\d{4}(?:[\s-]\d{4}){2,3}(?![\w-]|[.,]\d)"), _phone),
    (re.compile(r"(?<![\w.,-])\d++(?:-\d++){2,}+(?![\w-]|[.,]\d)"), _phone),
    (
        re.compile(r"\b([Cc]all|[Dd]ial|[Tt]ext|[Rr]ing) ([1-9]11|999|112|988|101|\d{5,6})(?![\w-]|[.,:]\d)"),
        lambda m: f"{m[1]} {digits(m[2])}",
    ),
    (re.compile(r"\b[Ee]xt(?:\.|ension)?\s?(\d{1,6})\b"), lambda m: f"extension {digits(m[1])}"),
)
