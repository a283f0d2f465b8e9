"""`manage.py budget ORGANIZATION day|month|total DOLLARS`: the most an organization or a key may spend."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identifiers import id_argument
from accounts.models import ApiKey, Organization
from billing import budgets, pricing
from billing.models import Budget


class Command(BaseCommand):
    help = "Set a budget for a calendar day or month (UTC), or for a key's whole life; `none` lifts it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", type=id_argument, help="the organization's id")
        parser.add_argument("period", choices=[period.value for period in Budget.Period])
        parser.add_argument("amount", metavar="DOLLARS|none")
        parser.add_argument("--key", help="only for this key (sk-XXXXXXXXXXXXXXXX)")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(id=options["organization"]).first()
        if organization is None:
            raise CommandError(f"organization: there is none with id {options['organization']}")
        period = Budget.Period(options["period"])
        api_key_id = _key_of(organization, options["key"])
        if api_key_id is None and not budgets.kind_of(period).of_organization:
            raise CommandError("--key: a total is a key's; name the key")
        if options["amount"] == "none":
            if not budgets.remove(organization=organization, period=period, api_key_id=api_key_id):
                raise CommandError(f"period: there is no budget a {period}")
            return
        amount = _dollars(options["amount"])
        budgets.put(organization=organization, period=period, amount=amount, api_key_id=api_key_id)


def _key_of(organization: Organization, key: str | None) -> UUID | None:
    if key is None:
        return None
    found = ApiKey.objects.filter(organization=organization, public_id=key.removeprefix("sk-")[:16]).first()
    if found is None:
        raise CommandError("--key: the organization has no such key")
    return found.id


def _dollars(text: str) -> Decimal:
    try:
        amount = pricing.parse_dollars(text)
    except ValueError:
        amount = Decimal(-1)
    if amount < 0:
        raise CommandError(f"DOLLARS: {text!r} is not an amount such as 25.00, nor `none`")
    return amount
