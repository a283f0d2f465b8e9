"""`manage.py set_limits SUBJECT --requests-per-minute 60`: how much an organization or a key may ask for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys
from accounts.models import ApiKey, Organization

LIMITS = ("requests_per_minute", "audio_seconds_per_minute", "concurrent_jobs")


class Command(BaseCommand):
    help = "Set rate limits of an organization or an API key; 0 is the settings' default."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject", help="an organization's id, or a key (sk-XXXXXXXXXXXXXXXX)")
        for name in LIMITS:
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {name: options[name] for name in LIMITS if options[name] is not None}
        for name, value in values.items():
            if value < 0:
                raise CommandError(f"--{name.replace('_', '-')}: must be at least 1, or 0 for the default")
        if not values:
            raise CommandError("name at least one limit; --help lists them")
        if not _find(options["subject"]).update(**{name: value or None for name, value in values.items()}):
            raise CommandError(f"subject: no organization and no key is {options['subject']!r}")


def _find(subject: str) -> Any:
    if subject.startswith("sk-"):
        return ApiKey.objects.filter(public_id=subject.removeprefix("sk-")[: keys.PUBLIC_ID_LENGTH])
    try:
        return Organization.objects.filter(id=UUID(subject))
    except ValueError:
        raise CommandError(f"subject: {subject!r} is neither an id nor a key") from None
