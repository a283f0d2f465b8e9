"""What allauth asks of us when somebody signs up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.conf import settings
from django.http import HttpRequest

from accounts import invitations
from accounts.models import User
from console import onboarding


class SignupForm(forms.Form):
    """The fields beside address and password."""

    organization = forms.CharField(
        max_length=200,
        required=False,
        label="Organization",
        widget=forms.TextInput({"placeholder": "Acme, Inc.", "autocomplete": "organization"}),
        help_text="Your company or project. You can rename it later.",
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Found the organization of a newcomer; who was invited and names none, joins another's."""
        name = self.cleaned_data["organization"]
        if name or not invitations.for_addresses([user.email]):
            name = name or user.email.partition("@")[0]
            onboarding.welcome(name=name, owner_email=user.email)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether the letter with the link to confirm an address would arrive."""
        environment = settings.ENVIRONMENT
        return environment.embedded or environment.email_url is not None

    def get_client_ip(self, request: HttpRequest) -> str:
        """The peer's address, by which attempts are counted; over a unix socket all are one."""
        address: Any = request.META.get("REMOTE_ADDR")
        return address or "local"
