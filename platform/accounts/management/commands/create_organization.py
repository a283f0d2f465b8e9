"""`manage.py create_organization NAME --owner E-MAIL`: a new customer."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from accounts import organizations


class Command(BaseCommand):
    help = "Create an organization and, where unknown, its owner; print the organization's id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="E-MAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["owner"])
        except ValidationError:
            raise CommandError(f"--owner: {options['owner']!r} is not an e-mail address") from None
        organization = organizations.create(name=options["name"], owner_email=options["owner"])
        self.stdout.write(str(organization.id))
