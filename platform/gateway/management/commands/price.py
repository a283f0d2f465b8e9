"""`manage.py price list|set|end`: the price book."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.identifiers import id_argument
from accounts.models import Organization
from billing import audit, terms
from billing.audit import Operator
from billing.models import Price
from billing.pricing import parse_dollars
from gateway.catalog import MODELS


class Command(BaseCommand):
    help = "Show the price book, enter a price for everybody or for one organization, or end one."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("list", help="Every price there was, is and will be.")
        enter = commands.add_parser("set", help="Enter a price; what was admitted before keeps its own.")
        enter.add_argument("model", choices=list(MODELS))
        enter.add_argument("amount", metavar="DOLLARS_PER_MINUTE", type=parse_dollars)
        enter.add_argument("--organization", type=id_argument, help="its alone; else everybody's")
        enter.add_argument("--from", dest="valid_from", type=_moment, metavar="YYYY-MM-DD[THH:MM]", help="UTC")
        enter.add_argument("--to", dest="valid_to", type=_moment, metavar="YYYY-MM-DD[THH:MM]", help="UTC")
        end = commands.add_parser("end", help="End a price now, so that the one below it holds again.")
        end.add_argument("price", type=int, help="its number in the list")
        for act in (enter, end):
            act.add_argument("--reason", required=True)
            act.add_argument("--actor", required=True, help="who does this")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            match options["command"]:
                case "set":
                    price = self._set(options)
                case "end":
                    price = terms.end_price(Price.objects.get(pk=options["price"]))
                case _:
                    for row in Price.objects.select_related("organization").order_by("model", "valid_from"):
                        self.stdout.write(f"{row.pk}  {row}  {row.organization or 'everybody'}")
                    return
        except (ValueError, Price.DoesNotExist, Organization.DoesNotExist) as refusal:
            raise CommandError(str(refusal)) from None
        done = "ended" if options["command"] == "end" else "entered"
        operator = Operator(actor=options["actor"], reason=options["reason"])
        audit.record(operator, what=f"price {price.pk} {done}: {price}")
        self.stdout.write(f"{price.pk}  {price}")

    def _set(self, options: dict[str, Any]) -> Price:
        id = options["organization"]
        return terms.set_price(
            model=options["model"],
            dollars_per_minute=options["amount"],
            organization=Organization.objects.get(pk=id) if id else None,
            valid_from=options["valid_from"],
            valid_to=options["valid_to"],
        )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
