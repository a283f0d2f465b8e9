"""API keys: what is stored, what is shown, and when a key stops opening the door."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import keys, organizations
from accounts.models import ApiKey
from tests.conftest import Customer
from tests.live import Service, wait_for


def ask(service: Service, secret: str) -> httpx.Response:
    return httpx.get(f"{service.url}/v1/models", headers={"authorization": f"Bearer {secret}"})


def status(service: Service, secret: str) -> int:
    return ask(service, secret).status_code


def command(name: str, *arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *map(str, arguments), stdout=out, **options)
    return out.getvalue().strip()


def test_a_key_opens_and_a_wrong_secret_does_not(service: Service, customer: Customer) -> None:
    assert status(service, customer.secret) == 200
    assert status(service, customer.secret[:-1] + ("a" if customer.secret[-1] != "a" else "b")) == 401


def test_a_revoked_key_is_refused_within_a_second(service: Service, customer: Customer) -> None:
    assert status(service, customer.secret) == 200
    keys.revoke(public_id=customer.key.public_id)
    time.sleep(1)
    assert status(service, customer.secret) == 401


def test_an_expired_key_is_refused_though_it_was_just_used(
    service: Service, new_customer: Callable[..., Customer]
) -> None:
    brief = new_customer(expires_at=timezone.now() + timedelta(seconds=2))
    assert status(service, brief.secret) == 200
    wait_for(lambda: timezone.now() > brief.key.expires_at)
    assert status(service, brief.secret) == 401


def test_a_suspended_organizations_key_is_refused_until_it_is_resumed(
    service: Service, customer: Customer
) -> None:
    assert status(service, customer.secret) == 200
    assert organizations.suspend(organization_id=customer.organization.id)
    assert not organizations.suspend(organization_id=customer.organization.id)
    time.sleep(1)
    answer = ask(service, customer.secret)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_deactivated")
    assert status(service, customer.secret[:-4] + "zzzz") == 401, "a stranger learns nothing"
    assert organizations.resume(organization_id=customer.organization.id)
    assert not organizations.resume(organization_id=customer.organization.id)
    time.sleep(1)
    assert status(service, customer.secret) == 200


def test_use_is_noted_once_a_minute(service: Service, customer: Customer) -> None:
    def last_used() -> Any:
        return ApiKey.objects.get(id=customer.key.id).last_used_at

    wrong = customer.secret[:-4] + "zzzz"
    assert status(service, wrong) == 401
    assert last_used() is None
    status(service, customer.secret)
    first = last_used()
    assert first is not None
    status(service, customer.secret)
    assert last_used() == first


@pytest.mark.django_db
def test_no_usable_key_is_stored(settings: Any) -> None:
    organization = organizations.create(name="A", owner_email="a@example.com")
    key, whole = keys.create(organization=organization, name="k")
    secret = whole.rpartition("-")[2]
    row = ApiKey.objects.values().get(id=key.id)
    assert secret not in str(row)
    assert secret.encode() not in bytes(row["secret_hmac"])
    assert row["last_four"] == secret[-4:]
    assert secret not in key.shown
    settings.API_KEY_PEPPERS = {**settings.API_KEY_PEPPERS, 9: b"n" * 32}
    assert keys.create(organization=organization, name="newer")[0].pepper_number == 9


@pytest.mark.django_db
def test_a_key_lives_as_long_as_its_pepper(settings: Any) -> None:
    organization = organizations.create(name="A", owner_email="a@example.com")
    key, whole = keys.create(organization=organization, name="k")
    secret = whole.rpartition("-")[2]
    principal = keys.Principal(key.id, organization.id, None, bytes(key.secret_hmac), key.pepper_number)
    assert keys.verify(principal, secret)
    settings.API_KEY_PEPPERS = {**settings.API_KEY_PEPPERS, 9: b"n" * 32}
    assert keys.verify(principal, secret)
    settings.API_KEY_PEPPERS = {9: b"n" * 32}
    assert not keys.verify(principal, secret)


def test_the_commands_make_list_and_revoke_a_working_key(service: Service, committed: None) -> None:
    organization = command("create_organization", "Acme", "--owner", "owner@acme.example")
    secret = command("create_key", organization, "--name", "ci", "--days", 30)
    assert status(service, secret) == 200
    shown = secret[:20] + "…" + secret[-4:]
    listing = command("list_keys", organization)
    assert listing.startswith(f"{shown.replace('-…', '-…')}  Acme  ci  live")
    command("revoke_key", secret)
    assert "revoked" in command("list_keys", organization)
    wait_for(lambda: status(service, secret) == 401, seconds=2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("create_organization", "A", "--owner", "nobody"), "--owner"),
        (("create_key", "00000000-0000-0000-0000-000000000000"), "organization"),
        (("revoke_key", "sk-unknown"), "key"),
    ],
)
def test_a_command_names_what_is_wrong(arguments: tuple[str, ...], named: str) -> None:
    with pytest.raises(CommandError, match=named):
        call_command(*arguments)
