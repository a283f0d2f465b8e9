"""Links lead where the operator says that the service is, whatever the Host header says."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pydantic import ValidationError

from billing.models import StripeCall
from config import sign_in
from config.environment import Environment
from tests.billing.stripe.world import KEY, SECRET
from tests.console.people import browser, office, person
from tests.fakes.identity_server import CLIENT_ID, CLIENT_SECRET, identity_server
from tests.fakes.stripe_server import FakeStripe, serve

PUBLIC = "https://speech.example.com"
HOSTS = ("speech.example.com:6666", "other.example", "testserver", "SPEECH.example.com")
SERVERS = {"database_url": "postgresql://db/speech", "redis_url": "redis://r"}
SECRETS = {"secret_key": "k" * 32, "api_key_peppers": f"1:{'ab' * 32}"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def public(settings: Any) -> None:
    """A service behind PUBLIC_URL, which answers to one name more."""
    cache.clear()
    update = {"public_url": PUBLIC, "allowed_hosts": ["other.example"]}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=update)
    settings.ALLOWED_HOSTS = [*settings.ENVIRONMENT.hosts, "testserver"]
    settings.ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https"


def links(text: str) -> list[str]:
    return re.findall(r"https?://\S+", text)


def check_last_letter() -> None:
    text = str(mail.outbox[-1].body)
    assert links(text)
    assert all(link.startswith(f"{PUBLIC}/") for link in links(text)), text
    for stranger in ("6666", "other.example", "testserver"):
        assert stranger not in text


@pytest.mark.parametrize("host", HOSTS)
def test_letters_of_sign_up_and_reset(host: str) -> None:
    person("ada@new.example")
    client = Client(headers={"host": host})
    client.post("/accounts/password/reset/", {"email": "ada@new.example"})
    check_last_letter()
    client.post("/accounts/signup/", {"email": "eve@new.example", "password1": "an analytical engine"})
    assert mail.outbox[-1].to == ["eve@new.example"]
    check_last_letter()


@pytest.mark.parametrize("host", HOSTS)
def test_invitations(host: str) -> None:
    acme = office("Acme")
    client = browser(acme.owner)
    form = {"email": "vera@new.example", "role": "viewer"}
    client.post(acme.path("members/invite"), form, headers={"host": host})
    check_last_letter()


@pytest.mark.parametrize("host", HOSTS)
def test_the_way_back_from_stripe(settings: Any, host: str) -> None:
    fake = FakeStripe(key=KEY, webhook_secret=SECRET)
    with serve(fake) as settings.STRIPE_API_BASE:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
        acme = office("Acme")
        client = browser(acme.owner)
        for path, form in (("billing/top-up", {"amount": "20"}), ("billing/card", {})):
            client.post(acme.path(path), form, headers={"host": host})
        calls = StripeCall.objects.filter(operation__startswith="checkout.")
        assert len(calls) == 2
        for call in calls:
            assert call.parameters["success_url"].startswith(f"{PUBLIC}/console/")
            assert call.parameters["cancel_url"].startswith(f"{PUBLIC}/console/")


@pytest.mark.parametrize("host", HOSTS)
def test_redirect_uris_of_sign_in(settings: Any, host: str) -> None:
    with identity_server() as identity:
        given = {"oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET, "oidc_issuer": identity.url}
        github = {"github_client_id": CLIENT_ID, "github_client_secret": CLIENT_SECRET}
        settings.SOCIALACCOUNT_PROVIDERS = sign_in.providers(Environment.model_validate(given | github))
        for provider in ("oidc", "github"):
            answer = Client(headers={"host": host}).post(f"/accounts/elsewhere/{provider}/login/")
            asked = parse_qs(urlsplit(answer["location"]).query)
            assert asked["redirect_uri"] == [f"{PUBLIC}/accounts/elsewhere/{provider}/login/callback/"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "evil.example"])
def test_a_host_that_is_not_listed_is_refused(host: str) -> None:
    assert Client(headers={"host": host}).get("/accounts/login/").status_code == 400


def test_a_claimed_port_gives_no_fresh_tries_at_a_password() -> None:
    user = person("ada@new.example")
    user.set_password("an analytical engine")
    user.save()
    for port in range(10):
        wrong = Client(headers={"host": f"speech.example.com:{port + 1}"})
        wrong.post("/accounts/login/", {"login": user.email, "password": "not the right one"})
    right = Client(headers={"host": "speech.example.com:99"})
    right.post("/accounts/login/", {"login": user.email, "password": "an analytical engine"})
    assert "_auth_user_id" not in right.session


def test_production_names_its_address_and_keeps_no_other() -> None:
    with pytest.raises(ValidationError, match="PUBLIC_URL must be set"):
        Environment.model_validate(SERVERS | SECRETS)
    production = Environment.model_validate(SERVERS | SECRETS | {"public_url": PUBLIC})
    assert production.hosts == ["speech.example.com"]
    listed = Environment.model_validate(SERVERS | SECRETS | {"public_url": PUBLIC, "allowed_hosts": "localhost"})
    assert listed.hosts == ["localhost", "speech.example.com"]


def test_on_ones_own_desk_it_is_where_the_gateway_listens() -> None:
    assert Environment.model_validate({"port": 8001}).origin == "http://127.0.0.1:8001"
    assert "localhost" in Environment.model_validate({}).hosts
    assert Environment.model_validate(SERVERS | SECRETS | {"debug": True}).origin == "http://127.0.0.1:8000"
