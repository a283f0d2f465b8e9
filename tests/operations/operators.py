"""The operator's people, as browsers, and the addresses of rows."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from operations.roles import Role
from tests.console.people import browser, person

REASON = {"reason": "asked for by the customer"}


def operator(role: Role | None = Role.OPERATIONS, *, factor: bool = True) -> Client:
    user = person(f"{uuid4().hex}@speech.example")
    if role:
        call_command("operator", "appoint", user.email.upper(), "--role", role.value)
    if factor:
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return browser(user)


def page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
