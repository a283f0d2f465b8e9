"""Values as JSON and CSV have them: amounts as decimal strings with all their places, never "0E-9"."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any


def as_json(document: Any, *, indent: int | None = None) -> str:
    """A dataclass as JSON."""
    return json.dumps(asdict(document), default=as_text, indent=indent, ensure_ascii=False)


def as_text(value: object) -> str:
    """A value as a cell of CSV; None is empty."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    return "" if value is None else str(value)
