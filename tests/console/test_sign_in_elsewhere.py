"""Signing in with an account of an OpenID Connect provider or GitHub, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from pydantic import ValidationError

from accounts import invitations
from accounts.models import Membership, User
from billing.models import Account
from config import sign_in
from config.environment import Environment
from tests.console.people import browser, office, person
from tests.fakes.identity_server import CLIENT_ID, CLIENT_SECRET, Identity, identity_server

pytestmark = pytest.mark.django_db
OIDC, GITHUB = "/accounts/elsewhere/oidc/login/", "/accounts/elsewhere/github/login/"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.fixture
def identity(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    """A provider of both kinds, which the service is set up for."""
    with identity_server() as identity:
        given = {f"{provider}_{name}": value for provider in ("oidc", "github") for name, value in CLIENT.items()}
        environment = Environment.model_validate({**given, "oidc_issuer": identity.url})
        settings.SOCIALACCOUNT_PROVIDERS = sign_in.providers(environment)
        settings.SIGN_IN_ORIGINS = sign_in.origins(environment)
        for name, path in (
            ("authorize_url", "/authorize"),
            ("access_token_url", "/token"),
            ("profile_url", "/api/v3/user"),
            ("emails_url", "/api/v3/user/emails"),
        ):
            monkeypatch.setattr(GitHubOAuth2Adapter, name, identity.url + path)
        yield identity


def come(client: Client, at: str = OIDC, **more: str) -> HttpResponse:
    """Press the button, agree at the provider, and come back."""
    out = client.post(at, more)
    assert out.status_code == 302, out.content
    back = httpx.get(out["location"]).headers["location"]
    answer: HttpResponse = client.get(back.removeprefix("http://127.0.0.1:8000"), follow=True)
    return answer


def somebody(email: str, *, verified: bool = True, sub: str = "4711") -> dict[str, Any]:
    return {"sub": sub, "email": email, "email_verified": verified, "name": "Nora Newcomer"}


def user_of(client: Client) -> str | None:
    id = client.session.get("_auth_user_id")
    return User.objects.get(pk=id).email if id else None


@pytest.mark.parametrize("at", [OIDC, GITHUB])
def test_a_newcomer_has_an_organization_credit_and_no_letter_to_wait_for(identity: Identity, at: str) -> None:
    identity.person = somebody("nora@new.example")
    client = Client()
    answer = come(client, at)
    assert answer.status_code == 200
    assert user_of(client) == "nora@new.example"
    membership = Membership.objects.get(user__email="nora@new.example")
    assert (membership.organization.name, membership.role) == ("nora", "owner")
    assert Account.objects.get(organization=membership.organization).promotional == 1
    assert EmailAddress.objects.get(email="nora@new.example").verified
    assert not User.objects.get(email="nora@new.example").has_usable_password()
    client.logout()
    come(client, at)
    assert user_of(client) == "nora@new.example"
    assert User.objects.count() == Account.objects.count() == 1


def test_an_address_that_nobody_proved_is_proved_by_a_letter_first(identity: Identity) -> None:
    identity.person = somebody("nora@new.example", verified=False)
    client = Client()
    come(client)
    assert user_of(client) is None
    assert mail.outbox[0].to == ["nora@new.example"]


def test_an_address_alone_opens_nobodys_account(identity: Identity) -> None:
    """Whoever controls the other side could name any address."""
    person("ada@acme.example")
    identity.person = somebody("ada@acme.example")
    client = Client()
    come(client)
    assert user_of(client) is None
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == 1


def test_it_is_connected_from_within_and_taken_off_again(identity: Identity) -> None:
    ada = person("ada@acme.example")
    ada.set_password("correct horse battery")
    ada.save()
    identity.person = somebody("ada@private.example")
    inside = Client()
    inside.post("/accounts/login/", {"login": ada.email, "password": "correct horse battery"})
    asked = come(inside, f"{OIDC}?process=connect")
    assert asked.request["PATH_INFO"] == "/accounts/reauthenticate/", "who connects proves to be there"
    assert not SocialAccount.objects.exists()
    inside.post(asked.request["PATH_INFO"], {"password": "correct horse battery"}, follow=True)
    outside = Client()
    come(outside)
    assert user_of(outside) == "ada@acme.example"
    account = SocialAccount.objects.get(user=ada)
    page = inside.get("/accounts/elsewhere/")
    assert b"Google: " in page.content
    inside.post("/accounts/elsewhere/", {"account": account.pk})
    assert not SocialAccount.objects.exists()


def test_a_second_factor_is_asked_for_all_the_same(identity: Identity) -> None:
    from allauth.mfa.models import Authenticator

    identity.person = somebody("nora@new.example")
    come(Client())
    nora = User.objects.get()
    Authenticator.objects.create(user=nora, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client = Client()
    answer = come(client)
    assert user_of(client) is None
    assert answer.request["PATH_INFO"] == "/accounts/2fa/authenticate/"


def test_who_was_invited_joins_instead(identity: Identity) -> None:
    acme = office("Acme")
    invitations.create(
        organization=acme.organization,
        email="nora@new.example",
        role=Membership.Role.DEVELOPER,
        by=acme.actor,
    )
    identity.person = somebody("nora@new.example")
    answer = come(Client())
    assert "Acme" in answer.content.decode()
    assert not Membership.objects.filter(user__email="nora@new.example").exists()


def test_who_says_no_or_brings_a_strange_answer_is_told_so(identity: Identity) -> None:
    identity.person = somebody("nora@new.example")
    client = Client()
    for wrong in ({"code": "made-up", "state": "made-up"}, {"code": "x"}, {"error": "server_error"}, {}):
        assert client.get(f"{OIDC}callback/", wrong, follow=True).status_code in (200, 401), wrong
        assert user_of(client) is None
    out = client.post(OIDC)
    state = out["location"].partition("state=")[2].partition("&")[0]
    answer = client.get(f"{OIDC}callback/", {"code": "made-up", "state": state}, follow=True)
    assert b"error occurred" in answer.content
    identity.denies = True
    assert b"cancelled" in come(client).content.lower()
    assert not User.objects.exists()


def test_the_buttons_are_there_and_a_browser_may_follow_them(identity: Identity) -> None:
    page = Client().get("/accounts/login/?next=/console/keys")
    for said in ("Sign in with Google", "Sign in with GitHub", 'value="/console/keys"'):
        assert said in page.content.decode()
    forms = page["content-security-policy"].partition("form-action ")[2].partition(";")[0]
    assert forms == f"'self' {identity.url} https://github.com"
    assert "Sign up with GitHub" in Client().get("/accounts/signup/").content.decode()
    assert identity.url not in Client().get("/")["content-security-policy"]
    assert Client().get(OIDC).status_code == 200, "a link alone signs nobody in"


def test_without_settings_there_is_none_of_it() -> None:
    page = Client().get("/accounts/login/")
    assert "Sign in with G" not in page.content.decode()
    assert "form-action 'self';" in page["content-security-policy"]
    assert Client().post(OIDC).status_code == 404
    assert "Other accounts" not in browser(person("a@b.example")).get("/accounts/email/").content.decode()


@pytest.mark.parametrize("provider", ["oidc", "github"])
def test_half_a_setting_stops_the_start(provider: str) -> None:
    with pytest.raises(ValidationError, match=f"{provider.upper()}_CLIENT_SECRET must be set together"):
        Environment.model_validate({f"{provider}_client_id": "x"})
    with pytest.raises(ValidationError, match="oidc_issuer"):
        Environment.model_validate({"oidc_issuer": "accounts.google.com"})
