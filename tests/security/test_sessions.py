"""Sessions are listed, ended by hand, and end by themselves."""

from __future__ import annotations

import time

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client

from accounts.models import User
from tests.console.people import browser, person

LIST = "/accounts/sessions/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return person("ada@new.example")


def at(user: User, agent: str, address: str) -> Client:
    client = browser(user)
    client.get("/console", headers={"user-agent": agent}, REMOTE_ADDR=address)
    return client


def is_in(client: Client) -> bool:
    return client.get("/console").status_code == 200


def test_one_is_ended_and_then_all_others(ada: User) -> None:
    here, phone, library = (at(ada, name, f"192.0.2.{n}") for n, name in enumerate(("Here", "Phone", "Library")))
    page = here.get(LIST).content.decode()
    assert all(text in page for text in ("Phone", "192.0.2.1", "Library", "192.0.2.2"))
    assert here.post(f"{LIST}{UserSession.objects.get(user_agent='Phone').pk}/end").url == LIST
    assert [is_in(each) for each in (here, phone, library)] == [True, False, True]
    assert here.post(LIST).status_code == 302
    assert [is_in(each) for each in (here, library)] == [True, False]


def test_nobody_ends_anothers(ada: User) -> None:
    hers, eve = at(ada, "Hers", "192.0.2.1"), at(person("eve@new.example"), "Eve", "192.0.2.2")
    assert eve.post(f"{LIST}{UserSession.objects.get(user_agent='Hers').pk}/end").status_code == 404
    assert is_in(hers)


@pytest.mark.parametrize(
    ("key", "age"), [("seen", settings.SESSION_IDLE_SECONDS), ("began", settings.SESSION_COOKIE_AGE)]
)
def test_it_ends_when_idle_and_when_old(ada: User, key: str, age: int) -> None:
    client = at(ada, "Here", "192.0.2.1")
    for seconds, signed_in in ((age - 60, True), (age + 60, False)):
        session = client.session
        session[key] = time.time() - seconds
        session.save()
        assert is_in(client) is signed_in
