"""The countries of ISO 3166-1, by name."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

FILE = Path(__file__).parent / "data" / "countries.tsv"


def _read() -> list[tuple[str, str]]:
    rows = (line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines())
    return sorted(((code, name) for code, name in rows), key=lambda row: normalize("NFKD", row[1]))  # Åland with A


NAMES = _read()
"""(code, name): ("DE", "Germany")."""
