"""Codes: telephone and card numbers, versions, and names that mix letters with digits."""

import re

from .numbers import code, decimal, digits, integer, spell_out
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
    if several := re.fullmatch(r"([A-Z]{1,4})(\d{1,3})s", match[0]):
        return _several(several)
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


def _vanity(match: Match) -> str:
    """1-800-GOT-JUNK -> one eight hundred got junk."""
    if match[3]:
        return f"{digits(match[3])} {match[4].lower()}"
    words = (code(part) if part.isdigit() else part.lower() for part in match[2].split("-"))
    return f"one {code(match[1])} {' '.join(words)}"


def _several(match: Match) -> str:
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


def _tax_free(match: Match) -> str:
    """401(k), 403(b), 501(c)(3) -> four oh one k."""
    plan = re.findall(r"\d+|[a-z]", match[0][:-1] if match[0][-1] == "s" else match[0])
    said = " ".join(code(part) if part.isdigit() else part for part in plan)
    return said + ("s" if match[0][-1] == "s" else "")


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
_MAKERS = (
    r"(?:Boeing|Airbus|Peugeot|Levi's|Levis|Levi|Porsche|BMW|Ferrari|Fiat|Volvo|Mazda|Saab|McLaren|Toyota|Embraer|Cessna"
    r"|Yamaha|Kawasaki|Nokia|Intel|Roland|Dash|Lotus|Renault|Chrysler|Datsun|Gulfstream|Learjet)"
)

_SCALES = {"k": "thousand", "M": "million", "mn": "million", "B": "billion", "bn": "billion"}
_PRODUCTS = (
    r"(?:[Vv]ersions?|[Rr]elease|[Vv]er\.?|Python|Java|Node|iOS|iPadOS|macOS|Android|Ubuntu|Debian|Windows|Django"
    r"|Rails|Ruby|PHP|Go|Rust|React|Angular|PyTorch|CUDA|Postgres|PostgreSQL|MySQL|Redis|Kubernetes|Linux|Chrome"
    r"|Firefox|GPT|Bluetooth|USB|HDMI|HTTP|TLS|OpenSSL)"
)

PHONES: tuple[Rule, ...] = (
    # Several of a model, before they are taken for seconds.
    (re.compile(rf"\b({_MAKERS})\s(\d{{3}})s(?!\w)"), lambda m: f"{m[1]} {code(m[2])}s"),
    (
        re.compile(r"(?<![\w.,/-])(0\d{1,4})-(\d{5,8})(?![\w-]|[.,]\d)"),
        lambda m: f"{digits(m[1])}, {digits(m[2])}",
    ),
    (
        re.compile(r"(?<![\w-])(?:1-(8\d\d|900)-([A-Z]+(?:-(?:[A-Z]+|\d{1,2}))*)|(\d{3})-([A-Z]{4}))(?![\w-])"),
        _vanity,
    ),
    (re.compile(r"(?<![\w-])([A-Z]{1,3})-(\d{1,3})s(?![\w-])"), _several),
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
    (re.compile(rf"\b({_MAKERS})\s(\d{{3}}(?:[/-]\d{{3}})*(?:-\d)?)(?![\w/]|[.,]\d|-\d)"), _models),
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
