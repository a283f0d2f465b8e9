"""`manage.py revoke_key KEY`: revoke a key within a second."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys


class Command(BaseCommand):
    help = "Revoke an API key, named by its public part (sk-XXXXXXXXXXXXXXXX) or whole."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key")

    def handle(self, *args: Any, **options: Any) -> None:
        public_id = options["key"].removeprefix("sk-")[: keys.PUBLIC_ID_LENGTH]
        if not keys.revoke(public_id=public_id):
            raise CommandError(f"key: no live key sk-{public_id}-…")
        self.stdout.write(f"sk-{public_id}-… revoked")
