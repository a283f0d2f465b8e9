"""`manage.py credit_limit ORGANIZATION DOLLARS`: how far an invoiced customer may go below zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from accounts.models import Organization
from billing import pricing
from billing.models import Account


class Command(BaseCommand):
    help = "Set an organization's credit limit in dollars; 0 is prepaid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", type=UUID, help="the organization's id")
        parser.add_argument("amount", metavar="DOLLARS")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(id=options["organization"]).first()
        if organization is None:
            raise CommandError(f"organization: there is none with id {options['organization']}")
        try:
            amount = pricing.parse_dollars(options["amount"])
        except ValueError:
            amount = Decimal(-1)
        if amount < 0:
            raise CommandError(f"DOLLARS: {options['amount']!r} is not an amount such as 500.00")
        Account.objects.get_or_create(organization=organization)
        try:
            with transaction.atomic():
                Account.objects.filter(organization=organization).update(credit_limit=amount)
        except IntegrityError:
            raise CommandError("DOLLARS: the organization owes or holds more than that already") from None
