"""Streets and towns: house numbers, points of the compass, kinds of street, states."""

import re

from .addresses import STATES
from .numbers import code, ordinal
from .rules import Match, Rule

_COMPASS = {
    "N": "North", "S": "South", "E": "East", "W": "West", "NE": "Northeast", "NW": "Northwest",
    "SE": "Southeast", "SW": "Southwest",
}  # fmt: skip
_KINDS = {
    "St": "Street", "Ave": "Avenue", "Av": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Dr": "Drive",
    "Ln": "Lane", "Hwy": "Highway", "Pkwy": "Parkway", "Sq": "Square", "Ct": "Court", "Pl": "Place",
    "Expy": "Expressway", "Expwy": "Expressway", "Fwy": "Freeway", "Cir": "Circle", "Ter": "Terrace",
    "Trl": "Trail", "Tpke": "Turnpike", "Aly": "Alley", "Cres": "Crescent", "Xing": "Crossing",
}  # fmt: skip
_FULL = (
    "Street|Avenue|Boulevard|Road|Drive|Lane|Highway|Parkway|Square|Court|Place|Expressway|Freeway|Circle|Terrace"
    "|Trail|Way|Turnpike|Alley|Crescent|Crossing|Row|Broadway"
)
_KIND = rf"(?P<kind>(?i:{'|'.join(_KINDS)})\b\.?|(?:{_FULL})\b)"
_NAME = r"(?:[A-Z][\w'-]*|\d{1,3}(?:st|nd|rd|th))"
_STATE = "|".join(STATES)
_NOT_HOUSE = re.compile(r"\b(?:the|in|since|and|about|over|around|by|No\.|number)\s\Z", re.IGNORECASE)


# States whose abbreviation is a word as well: "Sure, OK."
_INTERJECTIONS = frozenset({"OK", "HI", "OH", "ME", "IN", "OR", "MA", "PA", "LA", "DE", "AL", "ID"})
_ROOMS = {"Bldg": "Building", "Rm": "Room", "Ste": "Suite", "Apt": "Apartment", "Hwy": "Highway", "Rte": "Route",
          "Rt": "Route", "Fl": "Floor"}  # fmt: skip


def _state(match: Match) -> str:
    """Springfield, IL -> Springfield, Illinois."""
    starts = not re.search(r"\w,?\s\Z", match.string[max(0, match.start() - 3) : match.start()])
    return match[0] if match[2] in _INTERJECTIONS and starts else f"{match[1]}, {STATES[match[2]]}"


def _road(match: Match) -> str:
    """US-101 N -> US one oh one North."""
    return f"{match[1]} {code(match[2])}" + (f" {_COMPASS[match[3]]}" if match[3] else "")


def _house(number: str) -> str:
    return code(number) if number.isdigit() else number


def _street(match: Match) -> str:
    """708 N 1st St -> seven oh eight North First Street."""
    number, compass, name, kind = match["number"], match["compass"], match["name"], match["kind"]
    years = len(number) == 4 and _NOT_HOUSE.search(match.string[max(0, match.start() - 10) : match.start()])
    said = [number if years else _house(number)]
    if compass:
        said.append(_COMPASS[compass.rstrip(".").replace(".", "")])
    said.append(re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", lambda m: ordinal(int(m[1])).capitalize(), name))
    bare = kind.rstrip(".")
    said.append(_KINDS.get(bare.capitalize(), bare))
    after = match["after"]
    if after:
        said.append(_COMPASS[after])
    # The sentence keeps its full stop.
    at_end = kind.endswith(".") and not match.string[match.end() :].strip()
    return " ".join(said) + ("." if at_end else "")


RULES: tuple[Rule, ...] = (
    (
        re.compile(
            rf"(?<![\w.,/$£€-])(?P<number>\d{{1,5}})\s(?:(?P<compass>[NS][EW]?|[EW]|[NS]\.[EW]\.|[NSEW]\.)\s)?"
            rf"(?P<name>{_NAME}(?:\s(?!(?:{_FULL})\b){_NAME}){{0,3}}?)\s{_KIND}(?!['’])(?:\s(?P<after>[NS][EW]|[NSEW])\b(?!\.))?"
        ),
        _street,
    ),
    (re.compile(rf"\b({_STATE}),\s(?=\d{{5}}(?!\d))"), lambda m: f"{STATES[m[1]]}, "),
    (re.compile(rf"\b({'|'.join(_ROOMS)})\.?\s(?=\d|[A-Z]-?\d)"), lambda m: f"{_ROOMS[m[1]]} "),
    (re.compile(r"(?<=\d(?:st|nd|rd|th) )Fl\b\.?"), lambda _: "Floor"),
    (re.compile(r"\b((?:PO|P\.O\.|Post Office) Box) (\d{1,6})\b"), lambda m: f"{m[1]} {code(m[2])}"),
    (
        re.compile(
            r"\b(I|US|SR|CR|Route|Highway|Interstate)[ -](\d{1,4})"
            r"(?:\s([NS][EW]?|[EW])(?=[\s,.;)]|\Z))?(?![\w-]|[.,]\d)"
        ),
        lambda m: _road(m) if m[3] or "-" in m[0] else m[0],
    ),
)

#: These need no digit.
STATES_AFTER_TOWNS: tuple[Rule, ...] = (
    (
        re.compile(
            rf"(?<![\w'.-])([A-Z][\w'.-]++)(?<=[a-z]),\s({_STATE})(?=,?\s?(?:USA|US)\b|[.,;:)?!]|\Z|\s(?:in|on|at|and|to|is|was|by)\b)"
        ),
        _state,
    ),
)
