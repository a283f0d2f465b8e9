"""A key does what its scopes allow, from where its organization allows it; one place decides, for every route."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from django.db import IntegrityError
from starlette.types import Scope

from accounts.keys import Reach
from accounts.models import ApiKey
from gateway.authentication import SCOPES, scope_of
from gateway.door import addresses
from gateway.routes import V1_ROUTES
from tests.conftest import Customer
from tests.gateway.speaking import body
from tests.live import Service, wait_for
from usage.models import RequestLog

NewCustomer = Callable[..., Customer]


def call(service: Service, customer: Customer, method: str, path: str, **options: Any) -> httpx.Response:
    return httpx.request(method, service.url + path, headers=customer.headers, timeout=30, **options)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_key_for_usage_makes_no_speech(service: Service, new_customer: NewCustomer) -> None:
    reader = new_customer(reach=Reach(scopes=("usage",)))
    assert call(service, reader, "GET", "/v1/usage").status_code == 200
    assert call(service, reader, "GET", "/v1/models").status_code == 200
    assert call(service, reader, "GET", "/v1/key").status_code == 200
    refused = call(service, reader, "POST", "/v1/chat/completions", json=body())
    assert code(refused) == (403, "missing_scope")
    assert "'speech'" in refused.json()["error"]["message"]
    audio = f"/v1/audio/audio_{'0' * 32}"
    assert code(call(service, reader, "GET", audio)) == (403, "missing_scope")
    assert code(call(service, reader, "DELETE", audio)) == (403, "missing_scope")


def test_a_key_for_speech_reads_no_usage(service: Service, new_customer: NewCustomer) -> None:
    speaker = new_customer(reach=Reach(scopes=("speech",)))
    assert call(service, speaker, "POST", "/v1/chat/completions", json=body()).status_code == 200
    assert code(call(service, speaker, "GET", "/v1/usage")) == (403, "missing_scope")
    row = wait_for(lambda: RequestLog.objects.filter(error_code="missing_scope", route="/v1/usage").last())
    assert row.status == 403


@pytest.mark.parametrize(
    ("networks", "works"),
    [
        ((), True),
        (("127.0.0.1/32",), True),
        (("10.0.0.0/8", "127.0.0.0/8"), True),
        (("10.0.0.0/8", "2001:db8::/32"), False),
    ],
)
def test_a_key_works_from_its_networks(
    service: Service, new_customer: NewCustomer, networks: tuple[str, ...], works: bool
) -> None:
    customer = new_customer(reach=Reach(allowed_addresses=networks))
    answer = call(service, customer, "GET", "/v1/models")
    assert answer.status_code == (200 if works else 401)
    if not works:
        assert answer.json()["error"]["code"] == "ip_not_authorized"
        forged = {**customer.headers, "x-forwarded-for": "10.0.0.1"}
        assert httpx.get(f"{service.url}/v1/models", headers=forged).status_code == 401


def test_a_wrong_secret_learns_nothing_of_the_reach(service: Service, new_customer: NewCustomer) -> None:
    customer = new_customer(reach=Reach(allowed_addresses=("10.0.0.0/8",)))
    wrong = {"authorization": f"Bearer {customer.secret[:-4]}zzzz"}
    answer = httpx.get(f"{service.url}/v1/models", headers=wrong)
    assert code(answer) == (401, "invalid_api_key")


def test_what_is_not_listed_is_speech() -> None:
    assert scope_of("/v1/anything/new") == "speech"
    paths = {f"/v1/{route.path.split('/')[1]}" for route in V1_ROUTES}
    assert SCOPES.keys() <= paths


@pytest.mark.django_db
@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_the_database_knows_the_scopes(scopes: list[str]) -> None:
    from accounts import keys, organizations

    organization = organizations.create(name="A", owner_email="a@example.com")
    key, _ = keys.create(organization=organization, name="k")
    with pytest.raises(IntegrityError):
        ApiKey.objects.filter(id=key.id).update(scopes=scopes)


@pytest.mark.parametrize(
    ("forwarded", "proxies", "client"),
    [
        (None, 0, "192.0.2.9"),
        ("203.0.113.1", 0, "192.0.2.9"),
        ("203.0.113.1", 1, "203.0.113.1"),
        ("10.9.9.9, 203.0.113.1", 1, "203.0.113.1"),
        ("10.9.9.9, 203.0.113.1, 192.0.2.1", 2, "203.0.113.1"),
        ("203.0.113.1", 2, None),
        (None, 1, None),
        ("nonsense", 1, None),
        ("2001:DB8::1", 1, "2001:db8::1"),
    ],
)
def test_the_client_is_whom_our_own_proxies_saw(forwarded: str | None, proxies: int, client: str | None) -> None:
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    scope: Scope = {"type": "http", "client": ("192.0.2.9", 4711), "headers": headers}
    trusted = (ip_network("192.0.2.0/24"),)
    assert addresses.client_of(scope, proxies=proxies, trusted=trusted) == client
