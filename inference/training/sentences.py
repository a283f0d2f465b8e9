"""The sentences that are read: from sources in the public domain or under free licences, and our own templates.

A folder of sources holds `sources.json`, a list of objects with `name`, `kind`, `path` (beside it), `origin` and
`licence`. Kinds: "wordnet" (the example sentences of Princeton's data files), "ebook" (a Standard Ebooks tree) and
"text" (plain text). Whether a sentence is held out is decided by its hash, so it is the same in every corpus.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from inference.speech.text import normalize
from inference.training import templates
from inference.training.names import Names, wordnet_names

HELD_OUT_PERMILLE = 10
_MARKUP = re.compile(r"<[^>]+>")
_BREAK = re.compile(r"""(?<=[.!?])["”’')]*\s+(?=[A-Z“"‘])""")
_PLAIN = re.compile(r"[A-Z][A-Za-z0-9 ,.;:'\-?!$%]*[.?!]")
_TITLES = ("Mr.", "Mrs.", "Dr.", "St.", "Ms.", "Prof.", "Capt.", "Col.")
OWN = "templates"


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    kind: str
    path: str
    origin: str
    licence: str


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    """Normalised: words and the punctuation that shapes speech."""
    source: str

    @property
    def held_out(self) -> bool:
        """Never trained on: the hash of its letters decides, so that it is held out of every corpus."""
        letters = re.sub(r"[^a-z0-9]", "", self.text.lower())
        digest = hashlib.blake2b(letters.encode(), digest_size=8).digest()
        return int.from_bytes(digest) % 1000 < HELD_OUT_PERMILLE


def read_sources(folder: Path) -> list[Source]:
    return [Source(**entry) for entry in json.loads((folder / "sources.json").read_text("utf-8"))]


def sentences(folder: Path | None, *, seed: int, own_share: float) -> Iterator[Sentence]:
    """All sentences in an order of the seed's, each once, mixed with `own_share` of our own; without end.

    Args:
        folder: the sources; None for our own sentences alone. Of WordNet our own take their names, too.
    """
    random = Random(seed)  # noqa: S311  (an order, not a secret)
    pool: list[Sentence] = []
    names = Names()
    if folder is not None:
        for source in read_sources(folder):
            pool += [Sentence(text, source.name) for text in _read(source, folder)]
            if source.kind == "wordnet":
                names = wordnet_names(folder / source.path / "data.noun")
    random.shuffle(pool)
    seen: set[str] = set()
    while True:
        own = not pool or random.random() < own_share
        sentence = Sentence(templates.draw(random, names), OWN) if own else pool.pop()
        spoken = normalize(sentence.text)
        key = re.sub(r"[^a-z]", "", spoken.lower())
        if len(key) > 3 and key not in seen:
            seen.add(key)
            yield Sentence(spoken, sentence.source)


def _read(source: Source, folder: Path) -> Iterator[str]:
    path = folder / source.path
    match source.kind:
        case "wordnet":
            for part in ("noun", "verb", "adj", "adv"):
                yield from _examples((path / f"data.{part}").read_text("latin-1"))
        case "ebook":
            for chapter in sorted((path / "src/epub/text").glob("*.xhtml")):
                markup = chapter.read_text("utf-8")
                for paragraph in re.findall(r"<p\b[^>]*>(.*?)</p>", markup, re.DOTALL):
                    yield from _split(html.unescape(_MARKUP.sub("", paragraph)))
        case "text":
            yield from _split(path.read_text("utf-8"))
        case other:
            raise ValueError(f"source {source.name!r} is of an unknown kind {other!r}")


def _examples(data: str) -> Iterator[str]:
    for line in data.splitlines():
        _, _, gloss = line.partition("|")
        for example in re.findall(r'"([^"]+)"', gloss):
            text = _plain(example)
            text = text[:1].upper() + text[1:]
            text += "" if text.endswith((".", "?", "!")) else "."
            if " " in text and 18 <= len(text) < 190 and _PLAIN.fullmatch(text):
                yield text


def _split(text: str) -> Iterator[str]:
    parts = _BREAK.split(_plain(text))
    kept = ""
    for part in parts:
        kept = f"{kept} {part}".strip()
        if kept.endswith(_TITLES):
            continue  # "Mr." ends no sentence
        if 12 <= len(kept) <= 240 and _PLAIN.fullmatch(kept):
            yield kept
        kept = ""


def _plain(text: str) -> str:
    for sign, plain in {
        "“": "",
        "”": "",
        '"': "",
        "’": "'",
        "‘": "'",
        "—": ", ",
        "--": ", ",
        "\u2060": "",
    }.items():
        text = text.replace(sign, plain)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"\s+,", ",", text).replace(", ,", ",").strip()
