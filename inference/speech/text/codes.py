"""Codes: versions, models, and names that mix letters with digits."""

import re

from .numbers import code, decimal, digits, integer, spell_out
from .rules import Match, Rule


def _version(written: str) -> str:
    return " point ".join(integer(part) if len(part) < 4 else code(part) for part in written.split("."))


def _mixed(match: Match) -> str:
    """MP3 -> MP three, A380 -> A three eighty; a hash or serial number is spelled out."""
    if plural := re.fullmatch(r"([A-Z]{1,4})(\d{1,3})s", match[0]):
        return several(plural)
    parts = re.findall(r"[A-Za-z]+|\d+", match[0])
    if (
        len(parts) > 5
        or (len(parts) > 3 and re.search(r"[a-z]", match[0]))
        or re.fullmatch(r"[0-9a-f]{7,}", match[0])
    ):
        return spell_out(match[0])
    return " ".join(code(part) if part.isdigit() else part for part in parts)


def _serial(match: Match) -> str:
    parts = re.findall(r"[A-Za-z]+|\d+", match[0])
    return " ".join(code(part) if part.isdigit() else part for part in parts)


def _character_wise(written: str) -> str:
    """ab9453 -> ab nine four five three"""
    parts = re.findall(r"[A-Za-z]+|\d+", written)
    return " ".join(digits(part) if part.isdigit() else part for part in parts)


def several(match: Match) -> str:
    """B-52s -> B fifty-twos."""
    said = code(match[2])
    plural = f"{said[:-1]}ies" if said.endswith("y") else said + ("es" if said.endswith("x") else "s")
    return f"{match[1]} {plural}"


def power_or_name(match: Match) -> str:
    """After a word that names, 3E6 is a name and no power of ten."""
    return f"{match[1]} {code(match[2])} {match[3].upper()} {code(match[4])}"


def _models(match: Match) -> str:
    """Boeing 747/737 and 737-800, Levi's 501."""
    return f"{match[1]} " + " ".join(map(code, re.split("[/-]", match[2])))


NAMING = (
    r"(?:[Cc]ode|[Oo]rder|[Rr]oom|[Uu]nit|[Ss]eat|[Gg]ate|[Pp]art|[Mm]odel|[Ff]light|[Bb]uilding|[Aa]partment|[Aa]pt\.?"
    r"|[Ss]uite|[Bb]ooking|[Rr]eference|[Cc]onfirmation|[Tt]icket|[Ll]icen[cs]e|[Pp]late|[Ss]erial|[Ii]nvoice|[Bb]ox)"
)
#: What long numbers are given to, so that each has its own.
_NUMBERED = (
    r"(?:[Oo]rder|[Ii]nvoice|[Tt]icket|[Rr]eference|[Bb]ooking|[Cc]onfirmation|[Aa]ccount|[Cc]ase|[Ss]erial|[Tt]racking"
    r"|[Cc]laim|[Pp]olicy|[Cc]ustomer|[Mm]ember(?:ship)?|[Ee]mployee|[Ss]tudent|[Uu]ser|[Rr]eservation|[Ii]tem|[Pp]art"
    r"|[Pp]atient|[Rr]ecord|[Bb]adge|[Pp]ermit|[Pp]assport|[Cc]ontract|[Tt]ransaction|[Dd]ocument|ID|SKU|[Pp]ass)"
)
MAKERS = (
    r"(?:Boeing|Airbus|Peugeot|Levi's|Levis|Levi|Porsche|BMW|Ferrari|Fiat|Volvo|Mazda|Saab|McLaren|Toyota|Embraer|Cessna"
    r"|Yamaha|Kawasaki|Nokia|Intel|Roland|Dash|Lotus|Renault|Chrysler|Datsun|Gulfstream|Learjet)"
)

_SCALES = {"k": "thousand", "M": "million", "mn": "million", "B": "billion", "bn": "billion"}
_PRODUCTS = (
    r"(?:[Vv]ersions?|[Rr]elease|[Vv]er\.?|Python|Java|Node|iOS|iPadOS|macOS|Android|Ubuntu|Debian|Windows|Django"
    r"|Rails|Ruby|PHP|Go|Rust|React|Angular|PyTorch|CUDA|Postgres|PostgreSQL|MySQL|Redis|Kubernetes|Linux|Chrome"
    r"|Firefox|GPT|Bluetooth|USB|HDMI|HTTP|TLS|OpenSSL)"
)


def _mixed_groups(match: Match) -> str:
    """1-413-te-b-1-5 -> one-four one three-te-b-one-five: what letters stand among is no span of numbers."""
    return "-".join(digits(part) if part.isdigit() else part for part in match[0].split("-"))


RULES: tuple[Rule, ...] = (
    (
        re.compile(r"(?<![\w.,-])\d{1,6}-(?:[A-Za-z\d]{1,6}-){2,8}\d{1,6}(?![\w-]|[.,]\d)"),
        lambda m: _mixed_groups(m) if re.search(r"-[A-Za-z]+-", m[0]) and re.search(r"\d-\d", m[0]) else m[0],
    ),
    (re.compile(r"(?<=\w/)\d{5,12}(?=[/-]\w)"), lambda m: digits(m[0])),
    (re.compile(r"(?<=\b[A-Z]{2})/(?=\d(?!\w|[./]\d))"), lambda _: " "),
    # Of a server's answers the digits stand in pairs: "a 404 page".
    (
        re.compile(
            r"(?<![\w.,$£€-])((?:4[012]|50)\d)(?=\s(?:error|status|response|redirect"
            r"|page(?!\s(?:book|report|document|novel|paper|manual|essay|file)))\b)"
        ),
        lambda m: code(m[1]),
    ),
    (
        re.compile(
            r"\b((?:OTP|otp|[Cc]ode|[Pp]asscode|PIN)(?: (?:code|number|is))*:?) ([A-Za-z]+\d[A-Za-z0-9]*)\b"
        ),
        lambda m: f"{m[1]} {_character_wise(m[2])}",
    ),
    (re.compile(rf"\b({MAKERS})\s(\d{{3}}(?:[/-]\d{{3}})*(?:-\d)?)(?![\w/]|[.,]\d|-\d)"), _models),
    (
        re.compile(
            r"(?<![\w.,-])7([0-8])7(?=\s(?:MAX|Max|Dreamliner|jets?|aircraft|airliners?|jumbo|planes?|crash|crashes|fleet|pilots?|cockpit|simulator)\b)"
        ),
        lambda m: code(m[0]),
    ),
    (
        re.compile(
            r"(?<![\w.,])([2458]|16)k(?=\s(?:videos?|tv|TV|resolution|screens?|monitors?|displays?|footage|camera)\b)"
        ),
        lambda m: f"{code(m[1])} K",
    ),
    (re.compile(r"(?<![\w.])([A-Z])\.(26\d|7\d\d)(?!\w)"), lambda m: f"{m[1]} {code(m[2])}"),
    (
        re.compile(r"(?<![\w.,])802\.(\d{1,2})(?:\.(\d))?([a-z]{0,2})(?!\w)"),
        lambda m: " ".join(
            ["eight oh two", "point", code(m[1]), *(["point", code(m[2])] if m[2] else []), *m[3].upper()]
        ),
    ),
    (
        re.compile(r"(?<![\w.])(PM|pH|BA|XBB|JN|LGA)(\d{1,2})\.(\d{1,2})(?!\w|\.\d)"),
        lambda m: f"{m[1]} {decimal(m[2] + '.' + m[3])}",
    ),
    (
        re.compile(
            r"(?<![\w.])([vV])(\d{1,2})(?=\s(?:engine|engines|juice|turbo|motor|motors|rocket|muscle|truck|car|models?)\b)"
        ),
        lambda m: f"V {code(m[2])}",
    ),
    (re.compile(r"(?<![\w.])V(\d{1,2})(?![\w.]|\.\d)"), lambda m: f"V {code(m[1])}"),
    (
        re.compile(
            r"(?<![\w.])(\d{1,3})[kK](?=\s(?:runs?|races?|runners?|walk|walks|jog|swim|training|charity|marathon)\b)"
        ),
        lambda m: f"{code(m[1])} K",
    ),
    (
        re.compile(
            r"\b((?:OTP|otp|[Cc]ode|[Pp]asscode|PIN)(?: (?:code|number|is))*:?)"
            r" (\d{2,4}(?:[ -]\d{2,4}){1,3})(?![\w-]|[.,]\d| \d)"
        ),
        lambda m: f"{m[1]} {', '.join(map(digits, re.split('[ -]', m[2])))}",
    ),
    # Numbered within a chapter, and no span, which would be of tables.
    (
        re.compile(
            r"\b([Tt]able|[Ff]igure|[Ee]xhibit|[Ll]isting|[Ee]xercise|[Pp]roblem|[Ff]orm)\s(\d{1,3})-(\d{1,3})(?![\w-]|[.,]\d)"
        ),
        lambda m: f"{m[1]} {code(m[2])} dash {code(m[3])}",
    ),
    (
        re.compile(
            r"\b((?:PIN|[Pp]in|OTP|otp|ZIP|zip|[Cc]ode|CODE|[Pp]asscode|[Pp]assword"
            r"|[Ee]nd(?:s|ing) (?:in|with)|[Cc]ard ending|last four(?: digits)?)"
            r"(?: (?:code|number|is|of))*:?) (\d{3,8})\b(?![.,]\d|%"
            r"|\s(?:minutes?|days?|hours?|seconds?|years?|errors?|lines?)\b)"
        ),
        lambda m: f"{m[1]} {digits(m[2])}",
    ),
    (
        re.compile(
            rf"\b({_NUMBERED}(?:\s(?:number|no\.|ID|id|code|is))*:?) (\d{{5,12}})\b(?![.,:/-]\d|%|°"
            r"|\s(?:of|people|more|less|euros|(?!is\b|was\b|has\b|as\b|this\b)[a-z]{2,}s)\b)"
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
    (
        re.compile(rf"\b({_PRODUCTS})\s(\d{{1,2}})/(\d{{1,2}})(?![\w/]|\.\d)"),
        lambda m: f"{m[1]} {code(m[2])}, {code(m[3])}",
    ),
    (re.compile(rf"\b({_PRODUCTS})([\s-])(\d+(?:\.\d+)+)(?![\w%])"), lambda m: f"{m[1]} {_version(m[3])}"),
    (re.compile(r"(?<![\w.,])\d+(?:\.\d+){2,}(?!\w)"), lambda m: _version(m[0])),
    # A bare B is more often a letter, as in 221B, unless it scales a decimal or counts something.
    (
        re.compile(
            r"(?<![\w.])(\d++(?:\.\d++)?+)(?:([kM]|bn|mn)|(?<=\.\d)(B)|(B)(?=\s(?:[a-z]{2,}s|people)\b))(?![\w-])"
        ),
        lambda m: f"{m[1]} {_SCALES[m[2] or 'B']}",
    ),
    (re.compile(r"(?<![\w.])(\d{2,3}(?:\.\d)?)[Kk](?=\+|-plus\b)"), lambda m: f"{m[1]} thousand"),
    # 4K is a screen and 10K a race; 100K is a count.
    (
        re.compile(
            r"(?<![\w.])(?!10K|5K)(\d{2,3}(?:\.\d)?|\d\.\d)K"
            r"(?=\s(?!runs\b|races\b|times\b|videos?\b|screens?\b)(?:[a-z]{3,}s|people|a year)\b)"
        ),
        lambda m: f"{m[1]} thousand",
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
        re.compile(r"(?<![^\W_])(?<!\d\.)(?!\d++(?i:st|nd|rd|th)?s?\b)(?:[A-Za-z]++\d|\d++[A-Za-z])[A-Za-z0-9]*+"),
        _mixed,
    ),
)
