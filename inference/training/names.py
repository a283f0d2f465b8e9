"""People and places, whose sounds ordinary sentences hardly have: ours, and WordNet's thousands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_PERSON, _LOCATION = "18", "15"
"""Lexicographer files of WordNet: https://wordnet.princeton.edu/documentation/lexnames5wn."""
_NAME = re.compile(r"[A-Z][a-z]+(?:[_-][A-Z][a-z]+)*")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class Names:
    given: tuple[str, ...] = _words("""Anna Ben Carla David Emma Frank Grace Henry Irene Jack Karen Liam Maria Noah
Olivia Peter Quinn Rachel Sam Tina Victor Wendy Aisha Chen Diego Elena Fatima George Hiroshi Ingrid Jamal
Katarina Lucia Mateo Nadia Omar Priya Rajesh Sofia Thomas Yusuf Zoe Charlotte Benjamin
Abigail Nathaniel Gwendolyn Siobhan""")
    family: tuple[str, ...] = _words("""Smith Johnson Garcia Miller O'Brien Nguyen Patel Kowalski Schmidt Rossi
Andersson Okafor Yamamoto Fitzgerald Hernandez MacLeod Dubois Ivanov Kim Singh Thompson Whitaker Zimmerman
Vaughan""")
    places: tuple[str, ...] = _words("""London Paris Berlin Chicago Boston Denver Seattle Toronto Sydney Dublin
Madrid Tokyo Austin Atlanta Lisbon Vienna Prague Oslo Nairobi Cairo Mumbai Bangkok Edinburgh Albuquerque
Philadelphia Minneapolis Reykjavik Zurich""")


def wordnet_names(nouns: Path) -> Names:
    """Ours, and the people and places among the instances of WordNet's `data.noun`.

    A given name and a family name that stand in two entries are as good as two that stand in one, so they are kept
    apart: a few thousand of each make millions of people.
    """
    given, family, places = set(Names().given), set(Names().family), set(Names().places)
    for line in nouns.read_text("latin-1").splitlines():
        fields = line.split(" ")
        if len(fields) < 6 or " @i " not in line or fields[1] not in {_PERSON, _LOCATION}:
            continue
        for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]:
            if not _NAME.fullmatch(word):
                continue
            if fields[1] == _LOCATION:
                places.add(word.replace("_", " "))
            elif len(parts := word.split("_")) > 1:
                given.add(parts[0])
                family.add(parts[-1])
    return Names(tuple(sorted(given)), tuple(sorted(family)), tuple(sorted(places)))
