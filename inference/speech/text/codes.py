"""Codes: telephone and card numbers, versions, and names that mix letters with digits."""

import re

from .numbers import code, digits, integer, spell_out
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


def _version(written: str) -> str:
    return " point ".join(integer(part) if len(part) < 4 else code(part) for part in written.split("."))


def _mixed(match: Match) -> str:
    """MP3 -> MP three, A380 -> A three eighty; a hash or serial number is spelled out."""
    parts = re.findall(r"[A-Za-z]+|\d+", match[0])
    if (
        len(parts) > 4
        or (len(parts) > 3 and re.search(r"[a-z]", match[0]))
        or re.fullmatch(r"[0-9a-f]{7,}", match[0])
    ):
        return spell_out(match[0])
    return " ".join(code(part) if part.isdigit() else part for part in parts)


def _serial(match: Match) -> str:
    parts = re.findall(r"[A-Za-z]+|\d+", match[0])
    return " ".join(code(part) if part.isdigit() else part for part in parts)


_SCALES = {"k": "thousand", "M": "million", "mn": "million", "B": "billion", "bn": "billion"}
_PRODUCTS = (
    r"(?:[Vv]ersions?|[Rr]elease|[Vv]er\.?|Python|Java|Node|iOS|iPadOS|macOS|Android|Ubuntu|Debian|Windows|Django"
    r"|Rails|Ruby|PHP|Go|Rust|React|Angular|PyTorch|CUDA|Postgres|PostgreSQL|MySQL|Redis|Kubernetes|Linux|Chrome"
    r"|Firefox|GPT|Bluetooth|USB|HDMI|HTTP|TLS|OpenSSL)"
)

PHONES: tuple[Rule, ...] = (
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
    (re.compile(r"\b[Ee]xt(?:\.|ension)?\s?(\d{2,6})\b"), lambda m: f"extension {digits(m[1])}"),
)

RULES: tuple[Rule, ...] = (
    (
        re.compile(
            r"\b((?:PIN|OTP|ZIP|zip|[Cc]ode|[Pp]asscode)(?: (?:code|number|is))*:?) (\d{3,8})\b(?![.,]\d|%)"
        ),
        lambda m: f"{m[1]} {digits(m[2])}",
    ),
    (
        re.compile(
            r"\b([Pp]ort|[Ee]rror|[Ff]light|[Rr]oom|[Rr]oute|[Hh]ighway|[Bb]us|HTTP|RFC) (\d{3,5})"
            r"\b(?![.,]\d|%)"
        ),
        lambda m: f"{m[1]} {code(m[2])}",
    ),
    (re.compile(r"\b([A-Z]{2,}) (\d{4})(?![\w-]|[.,]\d)"), lambda m: f"{m[1]} {code(m[2])}"),
    (re.compile(r"(?<![\w.])[vV]\.?\s?(\d+(?:\.\d+)*)(?!\w)"), lambda m: "version " + _version(m[1])),
    (re.compile(rf"\b({_PRODUCTS})([\s-])(\d+(?:\.\d+)+)(?![\w%])"), lambda m: f"{m[1]} {_version(m[3])}"),
    (re.compile(r"(?<![\w.,])\d+(?:\.\d+){2,}(?!\w)"), lambda m: _version(m[0])),
    # A bare B is more often a letter, as in 221B, unless it scales a decimal or counts something.
    (
        re.compile(
            r"(?<![\w.])(\d++(?:\.\d++)?+)(?:([kM]|bn|mn)|(?<=\.\d)(B)|(B)(?=\s(?:[a-z]{2,}s|people)\b))(?![\w-])"
        ),
        lambda m: f"{m[1]} {_SCALES[m[2] or 'B']}",
    ),
    (
        re.compile(
            r"(?<![\w.])(\d++(?:\.\d++)?+)[xX×](?=\s(?:faster|slower|more|less|larger|bigger|smaller|higher|lower|better"
            r"|cheaper|longer|daily|weekly|as|the|speed|zoom|growth|return|a|per|your|its|that)\b|[.,;:!?)]|\Z)"
        ),
        lambda m: f"{m[1]} times",
    ),
    (re.compile(r"(?<![\w-])[A-Z]{1,5}-\d{1,6}(?:-[A-Z0-9]{1,8}){0,4}(?![\w-])"), _serial),
    (
        re.compile(r"(?<![^\W_])(?<!\d\.)(?!\d++(?:st|nd|rd|th)?s?\b)(?:[A-Za-z]++\d|\d++[A-Za-z])[A-Za-z0-9]*+"),
        _mixed,
    ),
)
