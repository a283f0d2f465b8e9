"""Signing up: a confirmed address, a decent password, an organization with its promotional credit."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts import invitations
from accounts.models import Membership, Organization, User
from billing.models import Account, LedgerTransaction
from tests.console.people import Office, browser, person

FORM = {"email": "ada@new.example", "password1": "an analytical engine", "organization": "Engines & Co"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


def confirm(client: Client) -> str:
    """Follow the link in the last letter; where that leads."""
    found = re.search(r"http://127.0.0.1:8000(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert found
    assert client.get(found[1]).status_code == 200
    answer = client.post(found[1])
    assert answer.status_code == 302
    return str(answer.url)


def test_from_the_form_to_the_console() -> None:
    client = Client()
    answer = client.post("/accounts/signup/", FORM)
    assert answer.url == "/accounts/confirm-email/"
    assert mail.outbox[-1].to == ["ada@new.example"]
    assert mail.outbox[-1].subject == "Confirm your e-mail address"
    assert client.get("/console").url.startswith("/accounts/login/")  # not before the address is confirmed
    assert confirm(client) == "/console"
    membership = Membership.objects.get(user__email="ada@new.example")
    assert (membership.organization.name, membership.role) == ("Engines & Co", "owner")
    account = Account.objects.get(organization=membership.organization)
    assert account.balance == account.promotional == Decimal(1)
    [movement] = LedgerTransaction.objects.filter(organization=membership.organization)
    assert movement.cause == f"welcome:{membership.organization.id}"
    page = client.get("/console", follow=True)
    assert "Make your first request" in page.content.decode()
    assert "Engines &amp; Co" in page.content.decode()


def test_where_no_mail_server_is_the_page_and_the_log_say_so(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "config.mail.LogBackend"
    client = Client()
    page = client.post("/accounts/signup/", FORM, follow=True)
    assert "the e-mail is printed in the server log" in page.content.decode()
    printed = capsys.readouterr().out
    assert "mail | To: ada@new.example" in printed
    assert re.search(r"mail \| http://127.0.0.1:8000/accounts/confirm-email/\S+", printed)


def test_without_letters_nobody_signs_up(settings: Any) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"database_url": "x", "redis_url": "y"})
    answer = Client().post("/accounts/signup/", FORM)
    assert not User.objects.filter(email=FORM["email"]).exists()
    assert "closed" in answer.content.decode().lower()


def test_without_a_name_the_organization_has_the_addresss() -> None:
    Client().post("/accounts/signup/", {**FORM, "organization": ""})
    assert Organization.objects.get(members__email="ada@new.example").name == "ada"


def test_who_is_invited_joins_and_founds_nothing(acme: Office) -> None:
    invitation, token = invitations.create(
        organization=acme.organization, email=FORM["email"], role=Membership.Role.VIEWER, by=acme.actor
    )
    client = Client()
    path = f"/invitations/{token}"
    assert f"/accounts/signup/?next={path}" in client.get(path).content.decode()
    client.post("/accounts/signup/", {**FORM, "organization": "", "next": path})
    assert confirm(client) == path
    client.post(f"/console/invitations/inv_{invitation.id.hex}/accept")
    [membership] = Membership.objects.filter(user__email=FORM["email"])
    assert membership.organization == acme.organization


def test_who_is_invited_is_told_so_without_the_letter(acme: Office) -> None:
    invitations.create(
        organization=acme.organization, email="vera@new.example", role=Membership.Role.VIEWER, by=acme.actor
    )
    vera = browser(person("vera@new.example"))
    assert "Join Acme" in vera.get("/console").content.decode()


def test_who_belongs_nowhere_founds_an_organization_without_credit() -> None:
    client = browser(person("solo@new.example"))
    assert "Create an organization" in client.get("/console").content.decode()
    answer = client.post("/console/organizations/new", {"name": "Solo"})
    organization = Organization.objects.get(name="Solo")
    assert answer.url == f"/console/org_{organization.id.hex}/"
    assert not Account.objects.filter(organization=organization, balance__gt=0).exists()


@pytest.mark.parametrize("password", ["short", "1234567890123", "password123", "ada@new.example"])
def test_a_weak_password_is_refused(password: str) -> None:
    answer = Client().post("/accounts/signup/", {**FORM, "password1": password})
    assert answer.status_code == 200
    assert 'class="problem"' in answer.content.decode()
    assert not User.objects.filter(email=FORM["email"]).exists()


def test_it_is_not_told_who_has_an_account() -> None:
    person(FORM["email"])
    answer = Client().post("/accounts/signup/", FORM)
    assert answer.url == "/accounts/confirm-email/"
    assert User.objects.filter(email__iexact=FORM["email"]).count() == 1
    assert not Organization.objects.filter(name=FORM["organization"]).exists()


def test_guessing_passwords_is_slowed_down() -> None:
    user = person("ada@new.example")
    user.set_password(FORM["password1"])
    user.save()
    wrong = {"login": user.email, "password": "not the right one"}
    client = Client()
    for _ in range(10):
        client.post("/accounts/login/", wrong)
    answer = client.post("/accounts/login/", {**wrong, "password": FORM["password1"]})
    assert "_auth_user_id" not in client.session
    assert "Too many failed attempts" in answer.content.decode()
    cache.clear()
    assert client.post("/accounts/login/", {**wrong, "password": FORM["password1"]}).url == "/console"


def test_a_second_factor_is_set_up_and_asked_for() -> None:
    from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time

    user = person("ada@new.example")
    user.set_password(FORM["password1"])
    user.save()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": FORM["password1"]})
    assert answer.url == "/accounts/2fa/authenticate/"
    assert client.get("/console").status_code == 302
    code = format_hotp_value(hotp_value("JBSWY3DPEHPK3PXP", next(iter(yield_hotp_counters_from_time()))))
    assert client.post("/accounts/2fa/authenticate/", {"code": code}).url == "/console"
