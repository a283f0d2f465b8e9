"""`manage.py create_key ORGANIZATION --name NAME [--days N]`: a new API key, shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import keys
from accounts.identifiers import id_argument
from accounts.models import Organization


class Command(BaseCommand):
    help = "Create an API key and print it; it cannot be read again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", type=id_argument, help="the organization's id")
        parser.add_argument("--name", default="unnamed")
        parser.add_argument("--days", type=int, help="days until it expires; never, if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(id=options["organization"]).first()
        if organization is None:
            raise CommandError(f"organization: there is none with id {options['organization']}")
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError("--days: must be at least 1")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        _, key = keys.create(organization=organization, name=options["name"], expires_at=expires_at)
        self.stdout.write(key)
