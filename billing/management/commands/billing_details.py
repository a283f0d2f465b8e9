"""`manage.py billing_details ORGANIZATION --legal-name "Acme GmbH" …`: what stands on the next invoices."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identifiers import id_argument
from accounts.models import Organization
from billing.invoices import details
from billing.models import BillingDetails

FIELDS = [field.name for field in BillingDetails._meta.fields if field.name != "organization"]


class Command(BaseCommand):
    help = "Show or change who is billed, and how. What was issued stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", type=id_argument, help="the organization's id")
        for name in FIELDS:
            option = f"--{name.replace('_', '-')}"
            if name == "tax_ids":
                parser.add_argument(option, nargs="*", help='as they are to be printed: "EU VAT DE123456789"')
            elif name == "net_days":
                parser.add_argument(option, type=int, help="how long an invoiced customer has to pay")
            elif name == "tax_percent":
                parser.add_argument(option, help="such as 19 or 8.875")
            else:
                parser.add_argument(option)

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(id=options["organization"]).first()
        if organization is None:
            raise CommandError(f"organization: there is none with id {options['organization']}")
        changes = {name: options[name] for name in FIELDS if options[name] is not None}
        try:
            if "tax_percent" in changes:
                changes["tax_percent"] = Decimal(changes["tax_percent"])
            if changes:
                details.put(organization=organization, **changes)
        except InvalidOperation:
            raise CommandError(f"--tax-percent: {changes['tax_percent']!r} is no number") from None
        except ValidationError as error:
            name, messages = next(iter(error.message_dict.items()))
            raise CommandError(f"--{name.replace('_', '-')}: {' '.join(messages)}") from None
        shown = details.of(organization)
        for name in FIELDS:
            self.stdout.write(f"{name:12} {getattr(shown, name)}")
        self.stdout.write(f"{'terms':12} {details.terms(organization)}")
