"""`manage.py promotion CODE DOLLARS --max N`: make a promotion code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import promotions
from billing.pricing import parse_dollars


class Command(BaseCommand):
    help = "Make a code that customers redeem for promotional credit, once for each organization."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code")
        parser.add_argument("amount", metavar="DOLLARS", type=parse_dollars)
        parser.add_argument("--max", type=int, required=True, help="how many organizations may redeem it")
        parser.add_argument("--expires", type=_midnight, metavar="YYYY-MM-DD", help="the code, at midnight UTC")
        parser.add_argument("--credit-days", type=int, help="how long the credit lasts from its redemption")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            promotion = promotions.create(
                code=options["code"],
                amount=options["amount"],
                max_redemptions=options["max"],
                expires_at=options["expires"],
                credit_days=options["credit_days"],
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(promotion.code)


def _midnight(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
