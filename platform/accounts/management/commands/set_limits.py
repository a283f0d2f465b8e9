"""`manage.py set_limits SUBJECT --requests-per-minute 60`: limits of an organization, key or person."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys, limits
from accounts.identifiers import id_argument
from accounts.models import ApiKey, Organization, User


class Command(BaseCommand):
    help = "Set limits of an organization, an API key or a person; 0 is the settings' default."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "subject", help="an organization's id, a key (sk-XXXXXXXXXXXXXXXX) or a person's address"
        )
        parser.add_argument("--organizations", type=int, metavar="N", help="of a person: how many may be owned")
        parser.add_argument(
            "--voices", type=int, metavar="N", help="of an organization: how many voices of its own it may have"
        )
        for limit in limits.LIMITS:
            parser.add_argument(limit.option, type=int, metavar="N", help=f"how many {limit.unit}")

    def handle(self, *args: Any, **options: Any) -> None:
        if "@" in options["subject"]:
            return _let_own(options["subject"], options["organizations"])
        values = {limit: options[limit.name] for limit in limits.LIMITS if options[limit.name] is not None}
        for limit, value in values.items():
            if value < 0:
                raise CommandError(f"{limit.option}: must be at least {limits.MINIMUM}, or 0 for the default")
            if value > limit.most:
                raise CommandError(f"{limit.option}: must be at most {limit.most}")
        if (most := options["voices"]) is not None:
            _let_have_voices(options["subject"], most)
            if not values:
                return
        if not values:
            raise CommandError("name at least one limit; --help lists them")
        subject = _find(options["subject"])
        if subject is None:
            raise CommandError(f"subject: no organization and no key is {options['subject']!r}")
        limits.put(subject, **{limit.name: value or None for limit, value in values.items()})


def _let_own(address: str, most: int | None) -> None:
    if most is None or most < 0:
        raise CommandError("--organizations: needed for a person; at least 1, or 0 for the default")
    if not User.objects.filter(email__iexact=address).update(max_organizations=most or None):
        raise CommandError(f"subject: nobody has the address {address!r}")


def _let_have_voices(subject: str, most: int) -> None:
    organization = _find(subject)
    if most < 0 or not isinstance(organization, Organization):
        raise CommandError("--voices: for an organization; at least 1, or 0 for the default")
    Organization.objects.filter(id=organization.id).update(max_voices=most or None)


def _find(subject: str) -> Organization | ApiKey | None:
    if subject.startswith("sk-"):
        public_id = subject.removeprefix("sk-")[: keys.PUBLIC_ID_LENGTH]
        return ApiKey.objects.filter(public_id=public_id).first()
    try:
        return Organization.objects.filter(id=id_argument(subject)).first()
    except ArgumentTypeError:
        raise CommandError(f"subject: {subject!r} is neither an id nor a key") from None
