"""Addresses: mail, web, network, post, files, handles and tags."""

import re

from .numbers import code, digits, spell_out
from .rules import Match, Rule

_SIGNS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", ":": "colon", "?": "question mark",
    "=": "equals", "&": "and", "#": "hash", "%": "percent", "+": "plus", "~": "tilde", "@": "at",
    "\\": "backslash", "*": "star", ",": "comma", ";": "semicolon", "!": "bang", "$": "dollar",
    "'": "apostrophe", "^": "caret", "|": "pipe",
}  # fmt: skip
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|\S")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


# A sentence that begins without its space: "www.example.com.Then".
_NEXT_SENTENCE = re.compile(r"(?<=\.(?:com|net|org|edu|gov))\.[A-Z][a-z']*\Z")


def _number(written: str) -> str:
    """The digits in an address: 99 is a number, 2024 and 8080 are said in pairs, 123 digit by digit."""
    return digits(written) if len(written) == 3 else code(written)


def spelled(written: str) -> str:
    """An address read aloud, sign by sign."""
    words = []
    for part in _TOKEN.findall(written):
        if part == "www":
            words.append("w w w")
        else:
            words.append(_number(part) if part.isdigit() else _SIGNS.get(part, part))
    return " ".join(words)


def _web(match: Match) -> str:
    address = match[0]
    kept = _NEXT_SENTENCE.sub("", address.rstrip(".,;:!?'\"*_"))
    if kept.endswith(")") and "(" not in kept:
        kept = kept.rstrip(").,;:!?'\"")
    bare = re.sub(r"\A(?:https?|ftp|wss?|file)://", "", kept, flags=re.IGNORECASE).rstrip("/")
    return spelled(bare) + address[len(kept) :]


def _mail(match: Match) -> str:
    address = match[0].lstrip(".-&")
    kept = address.rstrip(".,;:!?'\"*_)")
    # An "and" would be taken for letters of the name.
    return " ampersand ".join(map(spelled, kept.split("&"))) + address[len(kept) :]


def _octets(match: Match) -> str:
    octets, port, mask = match[1].split("."), match[2], match[3]
    said = " dot ".join(map(digits, octets))
    return said + (f" colon {code(port)}" if port else "") + (f" slash {code(mask)}" if mask else "")


def _letters(match: Match) -> str:
    return spell_out(match[0]).replace(":", "colon")


def _name(written: str) -> str:
    """A handle or tag as its words: MachineLearning -> Machine Learning."""
    parts = [part for part in _CAMEL.split(written) if part]
    return " ".join(code(part) if part.isdigit() else part for part in parts)


STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana",
    "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina",
    "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas",
    "UT": "Utah", "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia",
    "WI": "Wisconsin", "WY": "Wyoming", "DC": "DC",
}  # fmt: skip


# These are also words and abbreviations of other things.
_WORDS = frozenset({"AL", "DE", "HI", "ID", "IN", "LA", "MA", "ME", "MS", "OH", "OK", "OR", "PA"})
# The first digit of a postcode says in which part of the country a state lies.
_ZIP_REGIONS = (
    "CT MA ME NH NJ NY RI VT", "DE NY PA", "DC MD NC SC VA WV", "AL FL GA MS TN", "IN KY MI OH",
    "IA MN MT ND SD WI",
    "IL KS MO NE", "AR LA OK TX", "AZ CO ID NM NV TX UT WY", "AK CA HI OR WA",
)  # fmt: skip


def _postcode(match: Match) -> str:
    """ID 83702 is in Idaho; ID 00423 is no place."""
    if match[1] in _WORDS and match[1] not in _ZIP_REGIONS[int(match[2][0])].split():
        return match[0]
    state = STATES[match[1]]
    return f"{state} {digits(match[2])}" + (f", {digits(match[3])}" if match[3] else "")


_TLD = r"(?:com|org|net|edu|gov|io|ai|dev|app|co|uk|us|ca|de|fr|eu|info|biz|me|tv|in|au|jp|ly|gg|xyz|tech|shop)"
_LABEL = r"[A-Za-z0-9][A-Za-z0-9-]*+"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

RULES: tuple[Rule, ...] = (
    # Mathematics between dollar signs, and its braces.
    (re.compile(r"(?<![\w$])\$(?=[A-Za-z\\(])([^$\s](?:[^$\n]{0,80}[^$\s])?)\$(?![\w$])"), lambda m: m[1]),
    (re.compile(r"\^\{([^{}\s]{1,8})\}"), lambda m: f"^({m[1]})"),
    # A link in Markdown is its words.
    (re.compile(r"!\[([^\[\]]{0,200})\]\([^\s()]{1,500}\)"), lambda m: m[1]),
    (re.compile(r"!?\[([^\[\]]{1,200})\]\((?:https?://|/|#|www\.)[^\s()]{0,500}\)"), lambda m: m[1]),
    (re.compile(r"<(?=(?:https?|mailto):|[\w.+-]+@)|(?:mailto:)(?=[\w.+-]+@)"), lambda _: ""),
    (re.compile(r"(?<![\w+.-])[a-z][a-z0-9+.-]{1,11}://[^\s<>\"\[\]{}]+", re.IGNORECASE), _web),
    (re.compile(r"(?<![\w.@-])www\.[^\s<>\"\[\]{}]+", re.IGNORECASE), _web),
    (
        re.compile(
            rf"(?<![\w.+%&-])[\w.+%&-]++@{_LABEL}(?:\.{_LABEL})++(?:/[^\s<>\"\[\]{{}}]*|:[\w.~-]+/[\w./~-]+)?"
        ),
        _mail,
    ),
    (
        re.compile(
            rf"(?<![\w.@/-])(?:{_LABEL}\.)++(?<=\.)(?:{_TLD})(?::\d{{2,5}}(?!\d))?(?:/[^\s<>\"\[\]{{}}]*)?(?![\w@-])"
        ),
        _web,
    ),
    (re.compile(r"(?<![\w.@/-])localhost(?::\d{2,5}(?!\d))?(?:/[^\s<>\"\[\]{}]*)?(?![\w@-])"), _web),
    (
        re.compile(rf"(?<![\w.])({_OCTET}(?:\.{_OCTET}){{3}})(?::(\d{{1,5}}))?(?:/(\d\d?))?(?![\w/])(?!\.\d)"),
        _octets,
    ),
    # Not an address, but written as one: the parts of a serial number.
    (
        re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w/])(?!\.\d)"),
        lambda m: " dot ".join(map(digits, m[0].split("."))),
    ),
    (
        re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){4,7}[0-9A-Fa-f]{1,4}(?![\w:])"),
        _letters,
    ),
    (
        re.compile(
            r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){1,6}:(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,5})?(?![\w:])"
        ),
        _letters,
    ),
    (re.compile(r"(?<![\w:])::[0-9A-Fa-f]{1,4}(?![\w:])"), _letters),
    (
        re.compile(
            r"(?<![\w&])#(?=[0-9A-Fa-f]{0,5}[A-Fa-f])(?=[A-Fa-f]{0,5}\d)([0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})(?!\w)"
        ),
        lambda m: "hash " + spell_out(m[1]),
    ),
    (re.compile(r"(?<!\w)0[xX]([0-9A-Fa-f]+)(?!\w)"), lambda m: "zero x " + spell_out(m[1])),
    (re.compile(r"(?<!\w)[A-Z]:\\[^\s\"<>|]*[^\s\"<>|.,;:!?]"), lambda m: spelled(m[0])),
    (
        re.compile(r"(?<![\w.~/:])(?:~|\.{1,2})?/(?:[\w.@+-]++/)+[\w.@+-]*(?<![.,])"),
        lambda m: spelled(m[0].rstrip("/")),
    ),
    (re.compile(r"(?<![\w.~/:])~/[\w.@+-]*[\w@+-]"), lambda m: spelled(m[0])),
    (re.compile(r"(?<!\w)@([A-Za-z_]\w*)"), lambda m: "at " + _name(m[1])),
    (
        re.compile(
            r"\b((?:[Oo]rder|[Ii]nvoice|[Tt]icket|[Cc]ase|[Ii]ssue|[Ii]tem|[Pp]art|[Uu]nit|[Ss]uite|[Rr]oom|[Aa]pt\.?"
            r"|[Aa]partment|[Rr]ef\.?|[Ii]d|ID|[Aa]ccount|[Mm]odel|[Ss]erial|[Cc]laim|[Rr]equest|[Bb]atch|[Ll]ot))"
            r"\s#(?=[A-Za-z]{1,5}-?\d)"
        ),
        lambda m: f"{m[1]} number ",
    ),
    (re.compile(r"(?<![\w&])#([^\W\d]\w*)#(?!\w)"), lambda m: f"hash {_name(m[1])} hash"),
    (re.compile(r"(?<![\w&])#([^\W\d]\w*)"), lambda m: "hashtag " + _name(m[1])),
    (re.compile(r"(?<![\w&])#\s?(?=\d)"), lambda _: "number "),
    (re.compile(rf"\b({'|'.join(STATES)}),?\s(\d{{5}})(?:-(\d{{4}}))?(?![\w-])"), _postcode),
)
