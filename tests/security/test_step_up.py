"""Dangerous acts ask who it is again: the second factor of operators, a factor of customers."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Membership
from billing.models import LedgerTransaction
from tests.billing.books import account_of
from tests.console.people import Office, browser, person
from tests.operations.operators import REASON, give_factor

pytestmark = pytest.mark.django_db
SECRET = generate_totp_secret()


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def clerk() -> Client:
    user = person("clerk@speech.example")
    call_command("operator", "appoint", user.email, "--role", "billing")
    TOTP.activate(user, SECRET)
    client = browser(user)
    give_factor(client, user, seconds_ago=601)
    return client


def test_money_is_moved_after_the_second_factor_only(acme: Office, clerk: Client) -> None:
    page = reverse("admin:accounts_organization_change", args=(acme.organization.pk,))
    act = reverse("admin:accounts_organization_give_credit", args=(acme.organization.pk,))
    form = {**REASON, "amount": "2.50", "cause": "ticket-1"}
    before = account_of(acme.organization).balance
    answer = clerk.post(act, form)
    assert answer.status_code == 302
    assert answer.url.startswith("/accounts/2fa/reauthenticate/")
    assert not LedgerTransaction.objects.filter(cause="ticket-1").exists()
    code = format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))
    assert clerk.post(answer.url, {"code": code}).url == act
    assert clerk.post(act, form).url == page
    assert account_of(acme.organization).balance == before + Decimal("2.50")


def test_an_organization_is_handed_over_after_the_password_only(acme: Office) -> None:
    acme.owner.set_password("an analytical engine")
    acme.owner.save()
    heir = acme.join("heir@acme.example", "admin")
    client = Client()
    client.force_login(acme.owner)  # a while ago
    path = acme.path(f"members/{heir.pk}/transfer")
    answer = client.post(path)
    assert answer.url.startswith("/accounts/reauthenticate/")
    assert Membership.objects.get(user=heir).role == "admin"
    client.post(answer.url, {"password": "an analytical engine"})
    client.post(path)
    assert Membership.objects.get(user=heir).role == "owner"
