"""`manage.py list_keys [ORGANIZATION]`: the keys, without their secrets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.identifiers import id_argument
from accounts.models import ApiKey


class Command(BaseCommand):
    help = "List API keys: key, organization, name, state, last use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", type=id_argument, nargs="?", help="only this organization's")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = ApiKey.objects.select_related("organization").order_by("organization__name", "created_at")
        if options["organization"]:
            keys = keys.filter(organization=options["organization"])
        for key in keys:
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            self.stdout.write(f"{key.shown}  {key.organization}  {key.name}  {_state(key)}  {used}")


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= timezone.now() else "live"
