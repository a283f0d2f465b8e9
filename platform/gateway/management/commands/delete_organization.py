"""`manage.py delete_organization ID`: delete a customer for good."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identifiers import id_argument
from accounts.organizations import Refused
from gateway import erasure


class Command(BaseCommand):
    help = "Delete an organization with its keys, audio, names and people; the books stay, under a pseudonym."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=id_argument)
        parser.add_argument("--yes", action="store_true", help="do it: nothing of it comes back")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            raise CommandError("nothing was done: add --yes to delete it for good")
        try:
            erasure.delete_organization(options["id"], by=None)
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{options['id']} is deleted")
