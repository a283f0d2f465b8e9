"""What every report is: typed rows, what they come to, and what the ledger says they must come to."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, LiteralString, TypeVar

from django.db import connection

from billing import plain
from billing.models import LedgerEntry

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Report(Generic[Row]):
    """`rows` are of one dataclass. `total` is the sum of their amounts, `booked` that of the ledger's entries."""

    rows: Sequence[Row]
    total: Decimal
    booked: Decimal

    @property
    def agrees(self) -> bool:
        return self.total == self.booked

    def csv(self) -> str:
        """The rows with their columns' names; times in ISO 8601, amounts with all their places."""
        text = io.StringIO()
        writer = csv.writer(text)
        if self.rows:
            names = [field.name for field in fields(self.rows[0])]  # type: ignore[arg-type]  # a dataclass
            writer.writerow(names)
            writer.writerows([plain.as_text(getattr(row, name)) for name in names] for row in self.rows)
        return text.getvalue()


def booked(
    account: LedgerEntry.Name, *, end: datetime, start: datetime | None = None, kind: str | None = None
) -> Decimal:
    """The sum of a ledger account's entries of a span, a correction counting as what it corrects."""
    rows = query(
        """
        SELECT coalesce(sum(amount), 0)
        FROM billing_ledgerentry JOIN billing_ledgertransaction movement ON movement.id = transaction_id
        LEFT JOIN billing_ledgertransaction wrong ON wrong.id = movement.corrects_id
        WHERE account = %(account)s AND movement.created_at < %(end)s
            AND movement.created_at >= coalesce(%(start)s, '-infinity'::timestamptz)
            AND (%(kind)s::text IS NULL OR coalesce(wrong.kind, movement.kind) = %(kind)s)
        """,
        {"account": account.value, "start": start, "end": end, "kind": kind},
    )
    total: Decimal = rows[0][0]
    return total


def query(statement: LiteralString, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
