"""`manage.py rebuild_rollups --from 2026-11-01 --to 2026-12-01`: sum usage up anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from usage import rollups


class Command(BaseCommand):
    help = "Make the usage rollups of the days from --from up to, and without, --to anew (UTC)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=_day, required=True, metavar="YYYY-MM-DD")
        parser.add_argument("--to", dest="after", type=_day, required=True, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        first, after = options["first"], options["after"]
        if first >= after:
            raise CommandError("--to: it must be later than --from")
        organizations = rollups.rebuild(first=first, after=after)
        self.stdout.write(f"{(after - first).days} days of {organizations} organizations")


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)
