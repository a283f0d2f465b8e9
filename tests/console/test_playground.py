"""The playground's key: who is lent one, what it may, and that it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.utils import timezone

from accounts.models import ApiKey
from tests.console.people import Office, browser, office
from tests.gateway.speaking import body
from tests.live import Service


@pytest.fixture
def shop(committed: None) -> Office:
    return office(uuid4().hex)


@pytest.fixture
def ask(service: Service) -> Iterator[Callable[..., httpx.Response]]:
    with httpx.Client(base_url=service.url, timeout=30) as client:

        def send(key: str, method: str = "POST", path: str = "/v1/chat/completions") -> httpx.Response:
            headers = {"authorization": f"Bearer {key}"}
            return client.request(method, path, headers=headers, json=body() if method == "POST" else None)

        yield send


def lend(of: Office) -> str:
    key: str = browser(of.owner).post(of.path("playground/key")).json()["key"]
    return key


def test_a_lent_key_speaks_for_its_organization_and_does_nothing_else(
    shop: Office, ask: Callable[..., httpx.Response]
) -> None:
    key = lend(shop)
    spoken = ask(key)
    assert spoken.status_code == 200
    assert ask(key, "GET", "/v1/usage").status_code == 403
    assert ask(key, "GET", "/v1/key").json()["organization"]["id"] == f"org_{shop.organization.id.hex}"
    stranger = lend(office(uuid4().hex))
    audio = f"/v1/audio/{spoken.json()['choices'][0]['message']['audio']['id']}"
    assert ask(stranger, "GET", audio).status_code == 404


def test_a_lent_key_is_dead_after_its_end(shop: Office, ask: Callable[..., httpx.Response]) -> None:
    key = lend(shop)
    row = ApiKey.objects.get(organization=shop.organization, playground_of=shop.owner)
    assert row.expires_at is not None
    assert timedelta(0) < row.expires_at - timezone.now() <= timedelta(minutes=10)
    ended = timezone.now() - timedelta(seconds=1)
    ApiKey.objects.filter(id=row.id).update(expires_at=ended, created_at=ended - timedelta(minutes=10))
    assert ask(key).status_code == 401


def test_the_next_loan_ends_the_one_before(shop: Office, ask: Callable[..., httpx.Response]) -> None:
    before, after = lend(shop), lend(shop)
    assert ask(before).status_code == 401
    assert ask(after).status_code == 200
    assert ApiKey.objects.filter(organization=shop.organization, playground_of=shop.owner).count() == 1


@pytest.mark.parametrize("role", ["viewer", "billing"])
def test_who_may_not_call_is_lent_no_key(acme: Office, role: str) -> None:
    client = browser(acme.join(f"{role}@acme.example", role))
    assert client.post(acme.path("playground/key")).status_code == 403
    assert "Playground" not in client.get(acme.path("keys")).content.decode()
    assert not ApiKey.objects.filter(organization=acme.organization).exclude(playground_of=None).exists()


def test_nobody_is_lent_anothers_key(acme: Office, rival: Office) -> None:
    assert browser(acme.owner).post(rival.path("playground/key")).status_code == 404
    assert not ApiKey.objects.exclude(playground_of=None).exists()


def test_a_lent_key_is_in_no_list(acme: Office) -> None:
    lend(acme)
    row = ApiKey.objects.get(organization=acme.organization, playground_of=acme.owner)
    client = browser(acme.owner)
    assert row.public_id not in client.get(acme.path("keys")).content.decode()
    assert client.get(acme.path(f"keys/{row.named}")).status_code == 404
