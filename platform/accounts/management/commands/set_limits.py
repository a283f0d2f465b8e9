"""`manage.py set_limits SUBJECT --requests-per-minute 60`: how much an organization or a key may ask for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys, limits
from accounts.models import ApiKey, Organization


class Command(BaseCommand):
    help = "Set rate limits of an organization or an API key; 0 is the settings' default."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject", help="an organization's id, or a key (sk-XXXXXXXXXXXXXXXX)")
        for name in limits.NAMES:
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {name: options[name] for name in limits.NAMES if options[name] is not None}
        for name, value in values.items():
            if value < 0:
                raise CommandError(f"--{name.replace('_', '-')}: must be at least 1, or 0 for the default")
        if not values:
            raise CommandError("name at least one limit; --help lists them")
        subject = _find(options["subject"])
        if subject is None:
            raise CommandError(f"subject: no organization and no key is {options['subject']!r}")
        limits.put(subject, **{name: value or None for name, value in values.items()})


def _find(subject: str) -> Organization | ApiKey | None:
    if subject.startswith("sk-"):
        public_id = subject.removeprefix("sk-")[: keys.PUBLIC_ID_LENGTH]
        return ApiKey.objects.filter(public_id=public_id).first()
    try:
        return Organization.objects.filter(id=UUID(subject)).first()
    except ValueError:
        raise CommandError(f"subject: {subject!r} is neither an id nor a key") from None
