"""`manage.py credit_limit ORGANIZATION DOLLARS`: how far an invoiced customer may go below zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identifiers import id_argument
from accounts.models import Organization
from billing import pricing, terms


class Command(BaseCommand):
    help = "Set an organization's credit limit in dollars; 0 is prepaid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", type=id_argument, help="the organization's id")
        parser.add_argument("amount", metavar="DOLLARS")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(id=options["organization"]).first()
        if organization is None:
            raise CommandError(f"organization: there is none with id {options['organization']}")
        try:
            terms.set_credit_limit(organization=organization, amount=_amount(options["amount"]))
        except ValueError as refusal:
            raise CommandError(f"DOLLARS: {refusal}") from None


def _amount(text: str) -> Decimal:
    try:
        return pricing.parse_dollars(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an amount such as 500.00") from None
