"""Calendar months in UTC, by which invoices are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month (UTC): from `start` up to, and without, `end`."""

    first: date

    @classmethod
    def of(cls, moment: datetime) -> Self:
        return cls(moment.astimezone(UTC).date().replace(day=1))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2026-10". Raises ValueError for what is no month."""
        return cls(datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date())

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        return self.next().start

    def next(self) -> Self:
        return type(self)((self.first + timedelta(days=31)).replace(day=1))

    def previous(self) -> Self:
        return type(self)((self.first - timedelta(days=1)).replace(day=1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"
