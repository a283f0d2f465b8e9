"""Characters: what every rule may count on before it runs, and what may be left after the last one."""

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from inference.speech.tracing import Edit, SourceTrace, composed, stripped, substitute

# Characters the rules read themselves, and characters that say something on their own.
_KEPT = "°′″−×–—★" + "‰±≠≤≥≈÷∞√∑∫¬∈∂∀∃"
_SPELLED = {
    **dict.fromkeys("®™℠†‡`\u20e3", ""), **dict.fromkeys("•‣⁃●▪■→⇒➜➔←↔⟶", ", "), **dict.fromkeys("―⸺⸻", "—"),
    **dict.fromkeys("⁄∕", "/"), **dict.fromkeys("≃≅", "≈"), "℃": "°C", "℉": "°F", "º": "°",
    "ª": "ª", "µ": "µ", "∆": "Δ", "℡": "Tel. ", "♯": " sharp", "♭": " flat",
    "Ω": "Ω", "Å": "Å", "‒": "–", "〜": "~", "∼": "~", "⋅": "×", "∗": "*", "…": "...", "‼": "!!",
    "⁇": "??", "⁈": "?!", "⁉": "?!",
    "©": " copyright ", "§": " section ", "¶": " paragraph ", "№": "No. ", "٫": ".", "٬": ",", "℅": " care of ",
}  # fmt: skip

# Fullwidth and mathematical alphabets are letters in costume; other compatibility forms belong to a language.
_COSTUMES = ("<wide>", "<narrow>", "<font>", "<circle>", "<square>")
_LATIN_LIGATURES = "ﬀﬁﬂﬃﬄﬅﬆ"

_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_RAISED_TO_PLAIN = str.maketrans(_RAISED + "⁺⁻", "0123456789+-")
_FOOTNOTE = re.compile(
    rf"(?:(?<=[a-z]{{4}})(?<!feet)(?<!eters)(?<!etres)(?<!miles)(?<!inches)|(?<=[.,!?\"”]))[{_RAISED}]+"
)
_SUPERSCRIPT = re.compile(rf"[⁺⁻]?[{_RAISED}]+")
_CHARGE = re.compile(rf"(?<=[A-Za-z)₀-₉])([{_RAISED}]*)([⁺⁻])(?![{_RAISED}])")
# A Greek mu is the sign for a millionth only before a unit.
_MICRO = re.compile(r"(?<![^\W\d_])\u03bc(?=(?:[mgslLAVFW]|mol|Hz|Sv)\b)")
_SECTIONS = re.compile(r"§\s?§\s?")
_NUMERO = re.compile(r"\b[Nn]\.?[º°]\s?(?=\d)")
_ORDINAL_SIGN = re.compile(
    r"(?<=\d)(?:\.?ª|\.[º°](?!\s?[CFK]\b)|[º°](?=\s(?:de|do|da|piso|planta|andar|lugar|puesto|grado|grau|ano|año|d[ií]a|semestre"
    r"|trimestre|cap[ií]tulo|premio|pr[eê]mio|edici[oó]n|edição|aniversario|turno|tiempo|tempo)\b))"
)
_STARS = re.compile(
    r"(?<=\d)\s?★(?!★)(\s(?=(?:hotel|review|rating|restaurant|resort|experience|service|product|seller|host|app|book|film|movie|driver)\b))?"
)
_SMALL_CAPITALS = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"
# Several of them are letters of phonetic script as well, so only a word of nothing else is in costume.
_IN_SMALL_CAPITALS = re.compile(rf"[{_SMALL_CAPITALS}]{{3,}}")
_TO_SMALL_LETTERS = str.maketrans(_SMALL_CAPITALS, "abcdefghijklmnoprstuvwyz")
_SPACED_GROUPS = re.compile(r"(?<![\w.,])\d{1,3}(?:[\u00a0\u2007\u2009\u202f]\d{3})++(?!\d)")
# A line break that was escaped once too often.
_DRIVE = re.compile(r"(?<![A-Za-z])[A-Za-z]:\\")
_ESCAPED_BREAK = re.compile(r"(?<!\\)(?:\\r)?\\[nt](?=[^\sa-z]|\s|\Z)")
_ESCAPED_QUOTE = re.compile(r"\\\"")
_ESCAPED_CODES = re.compile(r"(?:\\u[0-9a-fA-F]{4})++")
_ANY_ESCAPED = re.compile(r"(?:\\r)?\\[nt]")
_ONLY_ESCAPED = re.compile(r"(?:[^\\]|\\[nt\"]|\\r\\n)*+\Z")
_SURELY_ESCAPED = re.compile(r"(?<=[\d\s.,:;!?])\\[nt]|\\[nt](?![a-z])")

_PARAGRAPH = re.compile("\u2029")
_STAR = re.compile("★")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028]")
_BULLET = re.compile(r"\s*(?:[-*+•‣⁃●▪■–—]|\(?\d{1,3}[.)](?!\s+\d{3})|#{1,6}|>)\s+(?=\S)")
_BARE_BULLET = re.compile(r"\A\s*+(?:[-*+•‣⁃●▪■–—]|#{1,6}|>)\s+(?=\S)")
_NUMBERED = re.compile(r"\A\(?(\d{1,3})[.)]\s+(?!\d{3})")
_CLOSED = re.compile(r"[.!?…:;,\-–—]['\")\]*_”’»]*\Z")
# On a line of its own, as in an address, such a full stop ends a word and not a sentence.
_SHORTENED = re.compile(r"\b(?:St|Ave|Rd|Blvd|Dr|Ln|Inc|Ltd|Co|Corp|Jr|Sr)\.\Z")
_WRAPPED_FROM = 45
_RULER = set("-*_=~#•–—")

_RUN = re.compile(r"(?<!\s)\s*+[.,;:!?…—][.,;:!?…—\s]*")
_LOOSE_HYPHEN = re.compile(r"(?<!\w)-+|-+(?!\w)|-{2,}")
_FORBIDDEN = re.compile(r"[^\w\s.,?!;:'\"…—-]|_")
_SPACES = re.compile(r"\s+")


def clean(text: str, trace: SourceTrace | None = None) -> str:
    """Text of letters, marks, ASCII and the few signs the rules know: one line, in NFC, digits ASCII."""

    def sub(pattern: re.Pattern[str], said: str | Callable[[re.Match[str]], str]) -> None:
        nonlocal text
        text = substitute(pattern, said, text, trace)

    text = composed(text, trace)
    sub(_IN_SMALL_CAPITALS, lambda match: match[0].translate(_TO_SMALL_LETTERS))
    sub(_SPACED_GROUPS, lambda match: re.sub(r"\D", ",", match[0]))
    if "\\" in text and not _DRIVE.search(text):
        sub(_ESCAPED_CODES, _unescaped)
        escaped = _is_escaped(text)
        sub(_ANY_ESCAPED if escaped else _ESCAPED_BREAK, "\n")
        if escaped:
            sub(_ESCAPED_QUOTE, '"')
    sub(_PARAGRAPH, "\n\n")
    sub(_LINE_ENDS, "\n")
    text = _one_line(text, trace)
    sub(_FOOTNOTE, "")
    sub(_CHARGE, _charge)
    sub(_SUPERSCRIPT, _raised)
    sub(_MICRO, "µ")
    sub(_ORDINAL_SIGN, _ordinal_sign)
    sub(_NUMERO, "No. ")
    sub(_SECTIONS, " sections ")
    sub(_NOT_ASCII, lambda match: _plain(match[0]))
    sub(_STARS, lambda match: "-star " if match[1] else " stars")
    sub(_STAR, " ")
    text = composed(text, trace)
    sub(_SPACES, " ")
    return stripped(text, trace)


def _unescaped(match: re.Match[str]) -> str:
    """JSON's \\u00e9; half of a pair stays out."""
    units = bytes.fromhex(match[0].replace("\\u", ""))
    return units.decode("utf-16-be", "ignore")


def _is_escaped(text: str) -> bool:
    """Whether all backslashes are line breaks and tabs that were escaped, and none parts the names of a path."""
    return bool(_ONLY_ESCAPED.match(text)) and (text.count("\\") > 1 or bool(_SURELY_ESCAPED.search(text)))


def tidy(text: str, trace: SourceTrace | None = None) -> str:
    """Only letters, spaces and the punctuation that shapes speech, each mark once and where it belongs."""
    text = substitute(_FORBIDDEN, lambda match: _foreign(match[0]), text, trace)
    # One space at a time, or a long blank would be looked through from each of its places.
    text = substitute(_LOOSE_HYPHEN, " ", text, trace)
    text = substitute(_SPACES, " ", text, trace)
    text = substitute(_RUN, _one_mark, text, trace)
    text = substitute(_SPACES, " ", text, trace)
    return composed(stripped(text, trace), trace)


def _charge(match: re.Match[str]) -> str:
    """Ca²⁺ -> Ca two plus."""
    return f" {match[1].translate(_RAISED_TO_PLAIN)} {'plus' if match[2] == '⁺' else 'minus'}"


def _raised(match: re.Match[str]) -> str:
    """10² -> 10^2, apart from a digit that follows, or it would be of the power."""
    apart = " " if match.string[match.end() : match.end() + 1].isdigit() else ""
    return f"^{match[0].translate(_RAISED_TO_PLAIN)}{apart}"


def _ordinal_sign(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 2) : match.start()]
    return (
        "th" if before[0] == "1" and len(before) > 1 else {"1": "st", "2": "nd", "3": "rd"}.get(before[-1], "th")
    )


def _one_line(text: str, trace: SourceTrace | None) -> str:
    """Join lines: paragraphs and list items end sentences, short lines end clauses, wrapped lines nothing."""
    joined = ""
    edits: list[Edit] = []
    at = kept_to = 0
    parts: list[str] = []
    listed = blank = False
    for line in text.split("\n"):
        bare = line.strip()
        start, at = at, at + len(line) + 1
        if set(bare) <= _RULER:
            blank = True
            continue
        item = _BULLET.match(line)
        if edits and (not _CLOSED.search(joined) or _SHORTENED.search(joined)):
            short = len(joined) < _WRAPPED_FROM and not bare[0].islower()
            ends = (blank or listed or item) and not joined.endswith(".")
            parts.append("." if ends else "," if short else "")
        else:
            parts.append("")
        joined = bare
        if item:
            joined = _NUMBERED.sub(r"\1, ", _BARE_BULLET.sub("", line, count=1).strip(), count=1)
        if edits:
            parts[-1] += " "
        begins = start + len(line) - len(line.lstrip())
        edits += [(kept_to, begins, parts[-1]), (begins, begins + len(bare), joined)]
        parts.append(joined)
        kept_to = begins + len(bare)
        listed, blank = bool(item), False
    if trace is not None:
        trace.edit(text, [*edits, (kept_to, len(text), "")])
    return "".join(parts)


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """What one character outside printable ASCII becomes."""
    if char in _SPELLED or char in _KEPT:
        return _SPELLED.get(char, char)
    category = unicodedata.category(char)
    if category[0] == "N":
        return _number(char)
    if category in {"Cf", "Co", "Cs", "Cn"} or unicodedata.name(char, "").startswith("VARIATION SELECTOR"):
        return ""
    if category[0] in "CZ":
        return " "
    if category[0] in "LS":
        compatible = unicodedata.normalize("NFKC", char)
        costume = unicodedata.decomposition(char).startswith(_COSTUMES) or char in _LATIN_LIGATURES
        if costume and all(" " < part <= "~" or part in "°µΩ∕" for part in compatible):
            return compatible.replace("∕", "/")
    if category[0] == "L" or category[0] == "M" or category == "Sc":
        return char
    if category[0] == "S":
        return " "
    return _punctuation(char, category)


def _number(char: str) -> str:
    value = Fraction(unicodedata.numeric(char)).limit_denominator(1000)
    if unicodedata.category(char) == "Nd" or unicodedata.decomposition(char).startswith("<sub>"):
        return str(value)
    return f" {value} "


def _punctuation(char: str, category: str) -> str:
    if category == "Pd":
        return "-"
    if category in {"Pi", "Pf"} or char in "‚„":
        return "'" if char in "‘’‚‛‹›" else '"'
    compatible = unicodedata.normalize("NFKC", char)
    return compatible if len(compatible) == 1 and compatible.isascii() else char


def _foreign(char: str) -> str:
    """Marks and the punctuation of other scripts stay; every other leftover is silent."""
    return char if not char.isascii() and unicodedata.category(char)[0] in "LMP" else " "


def _one_mark(match: re.Match[str]) -> str:
    run, after = match[0], match.string[match.end() : match.end() + 1]
    if not match.start():
        return ""
    if "?" in run or "!" in run:
        mark = ("?" if "?" in run else "") + ("!" if "!" in run else "")
    elif run.startswith(".,"):
        # The full stop was an abbreviation's.
        mark = ","
    elif "…" in run or "..." in run:
        mark = "…"
    else:
        mark = next(mark for mark in ".:;—," if mark in run)
    if mark == "—":
        return " — " if after else ""
    if mark == "," and not after:
        return ""
    return mark + (" " if after and (run[-1].isspace() or after.isalnum()) else "")
