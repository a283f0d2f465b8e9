"""What allauth asks of us when somebody signs up."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django import forms
from django.conf import settings
from django.http import HttpRequest

from accounts import invitations, names
from accounts.models import User
from console import onboarding


class SignupForm(forms.Form):
    """The fields beside address and password."""

    organization = forms.CharField(
        max_length=names.MAX_LENGTH,
        required=False,
        validators=[names.check],
        label="Organization",
        widget=forms.TextInput({"placeholder": "Acme, Inc.", "autocomplete": "organization"}),
        help_text="Your company or project. You can rename it later.",
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        _begin(request, user, organization=self.cleaned_data["organization"])


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether the letter with the link to confirm an address would arrive."""
        environment = settings.ENVIRONMENT
        return environment.embedded or environment.email_url is not None

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sign a letter with our own name, not with the Host header of whoever asked for it."""
        site = {"domain": urlsplit(settings.ENVIRONMENT.origin).netloc, "name": "Speech"}
        super().send_mail(template_prefix, email, {**context, "current_site": site})

    def get_client_ip(self, request: HttpRequest) -> str:
        """The peer's address, by which attempts are counted; over a unix socket all are one."""
        address: Any = request.META.get("REMOTE_ADDR")
        return address or "local"


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # it has no types
    """Of people who come with an account of elsewhere."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Always where the address is proved already: then no letter of ours is needed."""
        proved = any(address.verified for address in sociallogin.email_addresses)
        return proved or get_adapter(request).is_open_for_signup(request)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Take over what the provider says of the person, which the person has written."""
        user: User = super().populate_user(request, sociallogin, data)
        user.first_name, user.last_name = names.plain(user.first_name), names.plain(user.last_name)
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: forms.Form | None = None) -> User:
        """A newcomer's; without a form nobody was asked for the organization's name."""
        user: User = super().save_user(request, sociallogin, form)
        if form is None:
            _begin(request, user, organization="")
        return user


def _begin(request: HttpRequest, user: User, *, organization: str) -> None:
    """Found the organization of a newcomer; who was invited and names none, joins another's."""
    if organization or not invitations.for_addresses([user.email]):
        onboarding.begin(request, user, name=organization or names.plain(user.email.partition("@")[0]))
