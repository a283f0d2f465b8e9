"""`manage.py delete_user E-MAIL`: delete a person for good."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.organizations import Refused
from gateway import erasure


class Command(BaseCommand):
    help = "Delete a person's account, sign-ins and memberships, and the name wherever it is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="E-MAIL")
        parser.add_argument("--yes", action="store_true", help="do it: nothing of it comes back")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            raise CommandError("nothing was done: add --yes to delete it for good")
        try:
            erasure.delete_user(options["email"], by=None)
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write("deleted")
