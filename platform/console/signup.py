"""allauth's adapters: sign-up, sign-in and e-mails."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.core import ratelimit
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.utils import build_absolute_uri
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts import invitations, names
from accounts.models import User
from console import onboarding, suspicion


class SignupForm(forms.Form):
    """The fields besides e-mail address and password."""

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
    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": "Too many failed attempts. If this is your account, sign in with a code that "
        "we e-mail you, or reset your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether the e-mail with the confirmation link can be sent."""
        environment = settings.ENVIRONMENT
        return environment.embedded or environment.email_url is not None

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Put our own address into the e-mail, not the Host header of the request."""
        site = {"domain": urlsplit(settings.ENVIRONMENT.origin).netloc, "name": "Speech"}
        super().send_mail(template_prefix, email, {**context, "current_site": site})

    def get_client_ip(self, request: HttpRequest) -> str:
        """The peer's address, by which attempts are counted; a unix socket counts as one address."""
        address: Any = request.META.get("REMOTE_ADDR")
        return address or "127.0.0.1"

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By account only: allauth adds the Host header, so that each host would allow five more attempts."""
        return str(credentials.get("email", "")).lower()

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse a locked account, and e-mail its owner a way to sign in that stays open."""
        try:
            super().pre_authenticate(request, **credentials)
        except forms.ValidationError:
            self._tell_owner(request, str(credentials.get("email", "")).lower())
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        suspicion.note_failure(str(credentials.get("email", "")))

    def _tell_owner(self, request: HttpRequest, email: str) -> None:
        owner = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
        if owner and ratelimit.consume(request, action="locked_letter", key=email):
            link = build_absolute_uri(request, reverse("account_request_login_code"))
            self.send_notification_mail("account/email/locked", owner.user, {"link": link}, email=owner.email)

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        """An account without a password and another provider lets its owner set a password."""
        user = email_address.user
        if not user.has_usable_password() and not SocialAccount.objects.filter(user=user).exists():
            token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
            return reverse("account_reset_password_from_key", args=(user_pk_to_url_str(user), token))
        url: str = super().get_email_verification_redirect_url(email_address)
        return url


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # it has no types
    """For people who sign in with another provider."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Open if the provider has verified the address, because no e-mail is needed then."""
        proved = any(address.verified for address in sociallogin.email_addresses)
        return proved or get_adapter(request).is_open_for_signup(request)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Use the provider's data about the person, who may have written it."""
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
