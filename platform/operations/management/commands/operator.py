"""`manage.py operator appoint|dismiss EMAIL`: who runs the service."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from operations import roles
from operations.roles import ALLOWED, Role


class Command(BaseCommand):
    help = "Let a person into /admin/, in a role: " + "; ".join(
        f"{role} may {', '.join(sorted(acts))}" for role, acts in ALLOWED.items()
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=("appoint", "dismiss"))
        parser.add_argument("email", help="of somebody who has signed up")
        parser.add_argument("--role", choices=[role.value for role in Role])

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"email: nobody has signed up as {options['email']}")
        if options["verb"] == "dismiss":
            roles.dismiss(user)
            self.stdout.write(f"{user.email} is no operator any more")
            return
        if options["role"] is None:
            raise CommandError(f"--role: one of {', '.join(Role)}")
        roles.appoint(user, Role(options["role"]))
        self.stdout.write(f"{user.email} may {', '.join(sorted(ALLOWED[Role(options['role'])]))}")
