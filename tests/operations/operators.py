"""The operator's people, as browsers, and the addresses of rows."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from operations.roles import Role
from tests.console.people import browser, person

REASON = {"reason": "asked for by the customer"}


def operator(role: Role | None = Role.OPERATIONS, *, factor: bool = True) -> Client:
    user = person(f"{uuid4().hex}@speech.example")
    if role:
        call_command("operator", "appoint", user.email.upper(), "--role", role.value)
    if factor:
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    client = browser(user)
    if factor:
        give_factor(client, user)
    return client


def give_factor(client: Client, user: User, *, seconds_ago: float = 0) -> None:
    """As if the second factor had just been entered."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() - seconds_ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


def page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
