"""`manage.py operator appoint|dismiss EMAIL`: who operates the service."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from operations import roles
from operations.roles import ALLOWED, Role


class Command(BaseCommand):
    help = "Give a person access to /admin/, in one or more roles: " + "; ".join(
        f"{role} can {', '.join(sorted(acts))}" for role, acts in ALLOWED.items()
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=("appoint", "dismiss"))
        parser.add_argument("email", help="of a person who has signed up")
        parser.add_argument(
            "--role", action="append", choices=[role.value for role in Role], help="may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"email: nobody has signed up as {options['email']}")
        if options["verb"] == "dismiss":
            roles.dismiss(user)
            self.stdout.write(f"{user.email} is no longer an operator")
            return
        if options["role"] is None:
            raise CommandError(f"--role: one of {', '.join(Role)}")
        given = [Role(name) for name in options["role"]]
        roles.appoint(user, *given)
        acts = sorted(frozenset().union(*(ALLOWED[role] for role in given)))
        self.stdout.write(f"{user.email} can {', '.join(acts)}")
