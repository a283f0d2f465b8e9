"""HTML and SSML: tags are silent or pauses, entities are the characters they stand for."""

import html
import re

from inference.speech.tracing import Edit, SourceTrace, substitute

_PAUSES = frozenset({
    "br", "break", "td", "th", "dt", "hr", "img",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog",
    "div", "dl", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "head", "header", "html", "legend", "li", "main", "menu", "nav", "ol", "option", "p", "pre",
    "s", "section", "speak", "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul",
})  # fmt: skip
_INLINE = frozenset({
    "a", "abbr", "acronym", "area", "audio", "b", "base", "bdi", "bdo", "big", "button", "canvas",
    "cite", "code", "col", "colgroup", "data", "datalist", "del", "desc", "dfn", "em", "embed",
    "emphasis", "font", "i", "iframe", "input", "ins", "kbd", "label", "lang", "lexicon", "link", "map",
    "mark", "meta", "meter", "noscript", "object", "output", "phoneme", "picture", "progress",
    "prosody", "q", "rp", "rt", "ruby", "samp", "say-as", "script", "select", "small", "source", "span",
    "strike", "strong", "style", "sub", "sup", "svg", "template", "textarea", "time", "track", "tt",
    "u", "var", "video", "voice", "w", "wbr",
})  # fmt: skip
# Also what a template asks to be filled in, "enter <address> here": tags only with an attribute or an end.
_WORDS = frozenset({
    "address", "area", "article", "audio", "base", "body", "button", "caption", "code", "col", "data",
    "desc", "details", "dialog", "figure", "font", "footer", "form", "head", "header", "input", "label",
    "lang", "legend", "link", "main", "map", "mark", "menu", "meter", "object", "option", "output",
    "picture", "progress", "section", "select", "source", "style", "summary", "table", "template",
    "time", "title", "track", "video", "voice",
})  # fmt: skip
_NAMES = _PAUSES | _BLOCKS | _INLINE

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}\d{0,2});")
_UNSPOKEN = re.compile(r"<!--|<!\[CDATA\[|]]>|<\?xml|<!DOCTYPE|<(?:script|style)\b", re.IGNORECASE)
_ENDS = {"<!--": "-->", "<?xml": "?>", "<!doctype": ">", "<script": "</script>", "<style": "</style>"}
_ALIAS = re.compile(r"<sub\s{1,9}alias\s?=\s?([\"'])([^<>\"]{0,200})\1\s?>[^<>]{0,200}</sub\s?>", re.IGNORECASE)
_SPELLED = re.compile(
    r"<say-as\s[^<>]{0,200}?interpret-as\s?=\s?[\"']?(?:characters|spell-out|verbatim|digits)\b[^<>]{0,200}>"
    r"([^<>]{0,200})</say-as\s?>",
    re.IGNORECASE,
)
_DIALLED = re.compile(
    r"<say-as\s[^<>]{0,200}?interpret-as\s?=\s?[\"']?telephone\b[^<>]{0,200}>\s{0,9}(\d{3,20})\s{0,9}</say-as\s?>",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"<say-as\s[^<>]{0,200}?interpret-as\s?=\s?[\"']?ordinal\b[^<>]{0,200}>\s{0,9}(\d{1,9})\s{0,9}</say-as\s?>",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"<(?P<end>/)?(?P<name>(?:mstts|amazon|google):[a-z-]{1,30}|[a-z][a-z0-9-]{0,15})"
    r"(?:(?P<value>=[^<>\s]{1,40})|(?P<attributes>\s[^<>]{0,1000}))?(?P<closed>/)?>",
    re.IGNORECASE,
)
_ENDED = re.compile(r"(?:[.!?…:;,]\s*|\n[^\S\n]*)\Z")


def unmarked(text: str, trace: SourceTrace | None = None) -> str:
    """The text that a page or a speech document shows or speaks, one paragraph for each block."""
    if "&" in text:
        text = substitute(_ENTITY, lambda match: html.unescape(match[0]), text, trace)
        # Feeds escape what was escaped already: &amp;quot;
        text = substitute(_ENTITY, lambda match: html.unescape(match[0]), text, trace)
    if "<" not in text:
        return text
    text = _without_unspoken(text, trace)
    text = substitute(_ALIAS, lambda match: f" {match[2]} ", text, trace)
    text = substitute(_SPELLED, lambda match: " ".join(match[1]), text, trace)
    text = substitute(_DIALLED, lambda match: " ".join(match[1]), text, trace)
    text = substitute(_ORDERED, _ordered, text, trace)
    tags = list(_TAG.finditer(text))
    ended = {match["name"].lower() for match in tags if match["end"]}
    valued = {match["name"].lower() for match in tags if match["value"]} & ended
    return substitute(_TAG, lambda match: _tag(match, ended, valued), text, trace)


def _ordered(match: re.Match[str]) -> str:
    """A marked ordinal is written as one, for the rules of numbers to say."""
    number = match[1]
    teen = number[-2:-1] == "1"
    return number + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th"))


def _without_unspoken(text: str, trace: SourceTrace | None) -> str:
    """Leave out comments, declarations, scripts and styles that end; look for each end once only."""
    kept: list[str] = []
    left_out: list[Edit] = []
    start = 0
    endless: set[str] = set()
    for match in _UNSPOKEN.finditer(text):
        if match.start() < start:
            continue
        opening = match[0].lower()
        if opening in {"<![cdata[", "]]>"}:
            stop = match.end()
        else:
            end = _ENDS[opening]
            found = -1 if opening in endless else text.lower().find(end, match.end())
            if found < 0:
                endless.add(opening)
                continue
            stop = found + len(end)
        kept.append(text[start : match.start()])
        left_out.append((match.start(), stop, ""))
        start = stop
    if trace is not None:
        trace.edit(text, left_out)
    return "".join([*kept, text[start:]])


def _tag(match: re.Match[str], ended: set[str], valued: set[str]) -> str:
    name = match["name"].lower()
    vendor = ":" in name
    if not vendor and name not in _NAMES:
        # One of an engine's own: <pitch=-.3>…</pitch>.
        return "" if name in valued and (match["value"] or match["end"]) else match[0]
    attributes = match["attributes"] or ""
    if attributes and not match["end"] and "=" not in attributes and attributes.strip() not in {"", "/"}:
        return match[0]
    if name in _WORDS and not (match["end"] or match["closed"] or "=" in attributes or name in ended):
        return match[0]
    if name in _BLOCKS and not (name == "s" and name not in ended):
        return "\n\n"
    if name in _PAUSES:
        before = match.string[max(0, match.start() - 8) : match.start()]
        return " " if not before.strip() or _ENDED.search(before) else ", "
    return ""
