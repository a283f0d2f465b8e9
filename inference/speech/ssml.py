"""Reads SSML (https://www.w3.org/TR/speech-synthesis11/) as text with inline marks.

Elements that speech here cannot follow are reported, and their text is spoken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from inference.speech import inline
from inference.speech.inline import FASTEST, SLOWEST, mark

CHARACTERS_PER_CHARACTER = 4
"""How many characters a document may have for each that may be spoken."""
MAX_DEPTH = 32
RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
STRENGTHS_MS = {"none": 0, "x-weak": 100, "weak": 250, "medium": 500, "strong": 750, "x-strong": 1000}
_TIME = re.compile(r"\+?(\d{1,5}(?:\.\d{1,3})?)(ms|s)")
_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)(%?)")
_SPACE = re.compile(r"\s+")
_BLOCKS = ("p", "s")
_CONTAINERS = ("speak", *_BLOCKS)
_AS_WRITTEN = ("cardinal", "number", "ordinal", "date", "time", "currency", "unit", "fraction", "address")
"""What the text's normalisation reads by itself."""
_LETTERS = ("characters", "spell-out", "verbatim")
_DIGITS = ("digits", "telephone")


class SsmlError(ValueError):
    """The document is no SSML that can be read; the message says why."""


@dataclass(slots=True)
class SsmlText:
    """What a document asks to be spoken, as text with marks."""

    text: str
    speed: float
    """Of a `prosody rate` around all of it."""
    ignored: list[str] = field(default_factory=list)
    """The elements and attributes that were left out, each once: "emphasis", "prosody pitch"."""


def read(document: str, *, most: int = 16_384) -> SsmlText:
    """Read a document, with `<speak>` around it or without.

    Args:
        most: how many characters it may have.

    Raises:
        SsmlError: it is no well-formed XML, declares a document type or an entity, or is too large.
    """
    if len(document) > most:
        raise SsmlError(f"{len(document)} characters; at most {most} of SSML are read")
    source = document.strip()
    if not re.match(r"<(\?xml|speak\b)", source):
        source = f"<speak>{source}</speak>"
    try:
        root = fromstring(source, forbid_dtd=True)
    except DefusedXmlException:
        raise SsmlError("it may have no document type and no entities") from None
    except (ParseError, ValueError) as error:
        raise SsmlError(f"it is not well-formed XML: {error}") from None
    if _name(root) != "speak":
        raise SsmlError(f"its root is <{_name(root)}>, not <speak>")
    reader = _Reader()
    speed, body = _rate_around(root)
    text = "".join(reader.text_of(body, 0))
    return SsmlText(text.strip(), speed, list(reader.ignored))


class _Reader:
    def __init__(self) -> None:
        self.ignored: dict[str, None] = {}
        self._rate = 1.0

    def text_of(self, element: Element, depth: int) -> Iterator[str]:
        if depth > MAX_DEPTH:
            raise SsmlError(f"its elements are nested deeper than {MAX_DEPTH}")
        yield _SPACE.sub(" ", element.text or "")
        for child in element:
            yield from self._element(child, depth + 1)
            yield _SPACE.sub(" ", child.tail or "")

    def _element(self, element: Element, depth: int) -> Iterator[str]:
        name = _name(element)
        match name:
            case "break":
                yield mark("", "pause", str(_pause_ms(element)))
            case "p" | "s":
                yield "\n\n"
                yield from self.text_of(element, depth)
                yield "\n\n"
            case "sub":
                yield mark(_whole(element), "say", element.get("alias", "") or _whole(element))
            case "phoneme":
                yield self._phoneme(element)
            case "say-as":
                yield self._said_as(element)
            case "prosody":
                yield from self._prosody(element, depth)
            case _:
                if name not in _CONTAINERS:
                    self._ignore(name)
                yield from self.text_of(element, depth)

    def _phoneme(self, element: Element) -> str:
        if element.get("alphabet", "ipa") != "ipa" or not element.get("ph"):
            self._ignore(f"phoneme alphabet={element.get('alphabet', 'ipa')[:20]}")
            return _whole(element)
        return mark(_whole(element), "ipa", element.get("ph", ""))

    def _said_as(self, element: Element) -> str:
        kind, said = element.get("interpret-as", "").lower(), _whole(element)
        if kind in _LETTERS:
            return mark(said, "say", " ".join(said.replace(" ", "")))
        if kind in _DIGITS:
            digits = [char for char in said if char.isdecimal()]
            return mark(said, "say", " ".join(digits)) if digits else said
        if kind not in _AS_WRITTEN:
            self._ignore(f"say-as interpret-as={kind[:20]}")
        if kind == "ordinal" and said.strip().isdecimal():
            return mark(said, "say", _ordinal(int(said.strip()[:9])))
        return said

    def _prosody(self, element: Element, depth: int) -> Iterator[str]:
        for attribute in sorted({*element.keys()} - {"rate"}):
            self._ignore(f"prosody {attribute}")
        rate = _rate_of(element)
        if rate is None and element.get("rate") is not None:
            self._ignore(f"prosody rate={element.get('rate', '')[:20]}")
        outer = self._rate
        self._rate = min(FASTEST, max(SLOWEST, outer * (rate or 1.0)))
        if self._rate != outer:
            yield mark("", "rate", f"{self._rate:g}")
        yield from self.text_of(element, depth)
        if self._rate != outer:
            yield mark("", "rate", f"{outer:g}")
        self._rate = outer

    def _ignore(self, what: str) -> None:
        self.ignored[what[:60]] = None


def _rate_around(root: Element) -> tuple[float, Element]:
    """The rate of a `prosody` around all there is, which `speed` renders for any engine, and what is in it."""
    children = list(root)
    if len(children) == 1 and not (root.text or "").strip() and not (children[0].tail or "").strip():
        [only] = children
        if _name(only) == "prosody" and set(only.keys()) == {"rate"} and (rate := _rate_of(only)):
            return rate, only
    return 1.0, root


def _rate_of(element: Element) -> float | None:
    value = element.get("rate", "").strip()
    if value in RATES:
        return RATES[value]
    found = _RATE.fullmatch(value)
    rate = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    return min(FASTEST, max(SLOWEST, rate)) if rate else None


def _pause_ms(element: Element) -> int:
    if found := _TIME.fullmatch(element.get("time", "").strip()):
        return min(round(float(found[1]) * (1000 if found[2] == "s" else 1)), inline.MOST_PAUSE_MS)
    return STRENGTHS_MS.get(element.get("strength", "medium"), STRENGTHS_MS["medium"])


def _whole(element: Element) -> str:
    return _SPACE.sub(" ", "".join(element.itertext()))


def _name(element: Element) -> str:
    """Without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _ordinal(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
