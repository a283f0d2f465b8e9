"""`manage.py report NAME --from 2026-10-01 --to 2026-11-01`: what an accountant reads, as CSV."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing.reports.catalogue import REPORTS


class Command(BaseCommand):
    help = "Print a report as CSV, for the days from --from up to, and without, --to (UTC). " + "; ".join(
        f"{name}: {kind.title}" for name, kind in REPORTS.items()
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=REPORTS)
        parser.add_argument("--from", dest="start", type=_day, metavar="YYYY-MM-DD", help="not for a balance")
        parser.add_argument("--to", dest="end", type=_day, metavar="YYYY-MM-DD", help="now, where it is missing")

    def handle(self, *args: Any, **options: Any) -> None:
        kind, start, end = REPORTS[options["name"]], options["start"], options["end"] or timezone.now()
        if kind.is_balance:
            if start:
                raise CommandError("--from: a balance is that of a moment; give --to alone")
        elif start is None:
            raise CommandError("--from: the first day of the span is needed")
        elif start >= end:
            raise CommandError("--to: it must be later than --from")
        report = kind.make(start=start, end=end)
        self.stdout.write(report.csv(), ending="")
        self.stderr.write(f"total ${report.total:f}, in the ledger ${report.booked:f}")
        if not report.agrees:
            sys.exit(1)


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(), UTC)
