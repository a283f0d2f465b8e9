"""What an export has of a table: the rows of one owner as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import models, transaction

ROWS = 500
"""Rows that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of which each owner has some rows. Binary columns are never among what is exported."""

    name: str
    """Of the file, without its suffix."""
    model: type[models.Model]
    lookup: str
    """The field, or the path of fields, that says whose a row is."""
    hidden: tuple[str, ...] = ()
    """Columns that are left out: secrets, and where files lie."""
    order: str = "pk"
    """A field whose index finds one owner's rows in this order, where the primary key's would read everybody's."""

    def columns(self) -> list[str]:
        """The columns that are exported."""
        return [
            field.attname
            for field in self.model._meta.concrete_fields
            if field.name not in self.hidden and not isinstance(field, models.BinaryField)
        ]

    def lines(self, owner: object) -> Generator[bytes]:
        """The rows of `owner`, a JSON object a line, in a transaction: whoever reads on slowly keeps it open."""
        found = self.model._default_manager.filter(**{self.lookup: owner})
        with transaction.atomic():  # whose cursor reads on at the server
            rows = found.order_by(self.order).values(*self.columns()).iterator(chunk_size=ROWS)
            while some := list(islice(rows, ROWS)):
                yield "".join(f"{as_json(row)}\n" for row in some).encode()


def as_json(value: Any) -> str:
    """Amounts as decimal strings with all their places, moments in ISO 8601."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)  # a datetime is a date
