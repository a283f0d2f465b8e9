"""Guesses of passwords and codes stay counted, whoever fills the counters and under whatever host they ask."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts import guesses
from accounts.models import User
from tests.console.people import Office, browser, person

RIGHT, WRONG = "an analytical engine", "a difference engine"
LOCKED = "Too many failed attempts"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def ada() -> User:
    user = person("ada@new.example")
    user.set_password(RIGHT)
    user.save()
    return user


def network(number: int) -> str:
    return f"2001:db8:{number:x}::1"


def sign_in(password: str, *, address: str = "192.0.2.1", client: Client | None = None, **more: str) -> str:
    form = {"login": "ada@new.example", "password": password}
    answer = (client or Client()).post("/accounts/login/", form, REMOTE_ADDR=address, **more)
    return answer.content.decode() if answer.status_code == 200 else f"{answer.status_code} {answer.headers}"


def lock() -> None:
    for number in range(5):
        assert LOCKED not in sign_in(WRONG, address=network(number))
    assert LOCKED in sign_in(RIGHT, address=network(6))


def test_a_flood_of_sign_ups_resets_no_counter(ada: User) -> None:
    lock()
    for number in range(330):
        Client().post("/accounts/signup/", {"email": "no"}, REMOTE_ADDR=network(100 + number))
    assert LOCKED in sign_in(RIGHT, address=network(7))


def test_the_host_is_no_part_of_the_counter(ada: User) -> None:
    lock()
    assert LOCKED in sign_in(RIGHT, address=network(8), HTTP_HOST="127.0.0.1:1234")


def test_a_day_has_twenty_tries(ada: User) -> None:
    with connection.cursor() as cursor:
        for round_ in range(4):
            for number in range(5):
                assert LOCKED not in sign_in(WRONG, address=network(round_ * 5 + number))
            cursor.execute("DELETE FROM cache WHERE cache_key LIKE '%%5/300%%'")  # five minutes later
    assert LOCKED in sign_in(RIGHT, address=network(99))


def test_an_addresss_own_success_clears_nothing_of_its_tries(ada: User) -> None:
    assert sign_in(RIGHT, address="127.0.0.1").startswith("302")
    for path, times in (("signup", 20), ("password/reset", 20), ("login", 19)):
        for _ in range(times):
            assert Client().post(f"/accounts/{path}/", {"email": "no"}).status_code == 200
    answer = Client().post("/accounts/login/", {"login": "x@new.example"})
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()


def test_a_provider_of_ipv6_has_one_site_for_all_its_networks() -> None:
    answers = [
        Client().post("/accounts/signup/", {"email": "no"}, REMOTE_ADDR=f"2001:db8:1:{number:x}::1").status_code
        for number in range(241)
    ]
    assert (answers[:240], answers[240]) == ([200] * 240, 429)


def test_five_codes_then_none_and_none_twice(ada: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(ada, secret)

    def waiting() -> Client:
        client = Client()
        assert "/accounts/2fa/authenticate/" in sign_in(RIGHT, client=client)
        return client

    def right_code() -> str:
        return format_hotp_value(hotp_value(secret, int(time.time()) // 30))

    code = right_code()
    assert waiting().post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert waiting().post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200  # a replay
    cache.clear()
    client = waiting()
    for number in range(25):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
        for flood in range(2):
            Client().post("/accounts/signup/", {"email": "no"}, REMOTE_ADDR=network(number * 2 + flood + 1))
    assert client.post("/accounts/2fa/authenticate/", {"code": right_code()}).status_code == 200
    assert client.get("/console").status_code == 302


def test_the_owner_of_a_locked_account_gets_in_by_the_mailbox(ada: User) -> None:
    lock()
    letters = [letter for letter in mail.outbox if "attempts to sign in" in letter.subject]
    assert [letter.to for letter in letters] == [["ada@new.example"]]
    assert "/accounts/login/code/" in str(letters[0].body)
    sign_in(RIGHT, address=network(9))
    assert len([letter for letter in mail.outbox if "attempts to sign in" in letter.subject]) == 1  # one an hour
    hers = Client()
    assert hers.post("/accounts/login/code/", {"email": "ada@new.example"}).status_code == 302
    code = re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code, mail.outbox[-1].body
    assert hers.post("/accounts/login/code/confirm/", {"code": code[1]}).status_code == 302
    assert hers.get("/console").status_code == 200
    assert LOCKED in sign_in(RIGHT, address=network(10))  # for everybody else it stays


def test_codes_of_promotions_have_five_tries_an_hour(acme: Office) -> None:
    answers = [
        browser(acme.owner).post(acme.path("billing/redeem"), {"code": f"GUESS{number}"}).content.decode()
        for number in range(6)
    ]
    assert all("This code does not exist" in answer for answer in answers[:5])
    assert "Too many attempts" in answers[5]


def test_the_table_forgets_what_has_expired_and_nothing_else() -> None:
    cache.set("old", 1, timeout=-1)
    cache.set("new", 1, timeout=60)
    assert guesses.purge() == 1
    assert (cache.get("old"), cache.get("new")) == (None, 1)
    assert not cache.add("new", 2)
    assert cache.add("old", timedelta(seconds=1).seconds)


def test_a_sign_in_after_failures_is_told_of(ada: User) -> None:
    def letters() -> int:
        return len([letter for letter in mail.outbox if letter.subject == "New sign-in to your account"])

    assert sign_in(RIGHT, address="192.0.2.5").startswith("302")
    assert letters() == 0
    sign_in(WRONG, address="192.0.2.66")
    assert sign_in(RIGHT, address="192.0.2.66").startswith("302")
    assert letters() == 1
    sign_in(WRONG, address="192.0.2.66")
    assert sign_in(RIGHT, address="192.0.2.66").startswith("302")
    assert letters() == 1  # it is known now
