"""Who signs up with another's address has nothing of the account that she then confirms."""

from __future__ import annotations

import re

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import User

HERS = {"email": "ada@new.example", "password1": "the attacker chose this", "organization": "Engines"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


def link() -> str:
    found = re.search(r"http://[^/\s]+(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def sign_in(password: str) -> int:
    form = {"login": HERS["email"], "password": password}
    return Client().post("/accounts/login/", form).status_code


def test_confirming_in_another_browser_takes_the_password_away() -> None:
    attacker, hers = Client(), Client()
    attacker.post("/accounts/signup/", HERS)
    SocialAccount.objects.create(user=User.objects.get(email=HERS["email"]), provider="oidc", uid="attacker")
    answer = hers.post(link(), follow=True)
    assert "/accounts/password/reset/key/" in answer.redirect_chain[0][0]
    assert "password" in answer.content.decode().lower()
    assert sign_in(HERS["password1"]) == 200
    assert not SocialAccount.objects.exists()
    assert attacker.get("/console").status_code == 302
    chosen = {"password1": "an analytical engine", "password2": "an analytical engine"}
    assert hers.post(answer.redirect_chain[-1][0], chosen).status_code == 302
    assert sign_in("an analytical engine") == 302
    assert sign_in(HERS["password1"]) == 200


def test_a_sign_in_code_takes_the_password_away_too() -> None:
    Client().post("/accounts/signup/", HERS)
    hers = Client()
    hers.post("/accounts/login/code/", {"email": HERS["email"]})
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code, mail.outbox[-1].body
    hers.post("/accounts/login/code/confirm/", {"code": code[1]})
    assert hers.get("/console", follow=True).status_code == 200
    assert not User.objects.get(email=HERS["email"]).has_usable_password()


def test_in_the_browser_that_signed_up_the_password_stays() -> None:
    client = Client()
    client.post("/accounts/signup/", HERS)
    assert client.post(link()).url == "/console"
    assert sign_in(HERS["password1"]) == 302
