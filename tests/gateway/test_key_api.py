"""Keys by API: an admin key makes, limits and revokes others; a web page speaks with a client secret."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from accounts.client_secrets import ClientSecret
from accounts.keys import Reach
from accounts.models import ApiKey, AuditEvent
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.live import Service, wait_for

KEYS = "/organization/projects/default/api_keys"


class Caller:
    """Sends requests with one key."""

    def __init__(self, service: Service, secret: str, **headers: str) -> None:
        self.http = httpx.Client(
            base_url=f"{service.url}/v1", headers={"authorization": f"Bearer {secret}", **headers}, timeout=30
        )

    def __call__(self, method: str, path: str, json: Any = None) -> httpx.Response:
        return self.http.request(method, path, json=json)

    def code(self, method: str, path: str, json: Any = None) -> tuple[int, str]:
        answer = self(method, path, json)
        return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def admin(service: Service, new_customer: Callable[..., Customer]) -> Caller:
    customer = new_customer(reach=Reach(scopes=("admin",)))
    caller = Caller(service, customer.secret)
    caller.customer = customer  # type: ignore[attr-defined]
    return caller


def test_a_key_is_made_limited_and_revoked(service: Service, admin: Caller) -> None:
    made = admin("POST", KEYS, {"name": "production", "scopes": ["speech"], "requests_per_minute": 600}).json()
    assert (made["object"], made["name"], made["requests_per_minute"]) == (
        "organization.project.api_key",
        "production",
        600,
    )
    fresh = Caller(service, made["value"])
    assert fresh("POST", "/chat/completions", scripted(2)).status_code == 200
    assert fresh("GET", "/key").json()["limits"]["key"]["requests_per_minute"]["limit"] == 600
    assert fresh.code("GET", "/usage") == (403, "missing_scope")
    changed = admin("POST", f"{KEYS}/{made['id']}", {"name": "less", "scopes": ["usage"], "concurrent_jobs": 3})
    assert (changed.json()["name"], changed.json()["scopes"], changed.json()["concurrent_jobs"]) == (
        "less",
        ["usage"],
        3,
    )
    wait_for(lambda: fresh("GET", "/usage").status_code == 200, seconds=3)
    assert fresh.code("POST", "/chat/completions", scripted(2)) == (403, "missing_scope")
    shown = admin("GET", f"{KEYS}/{made['id']}").json()
    assert shown == {**changed.json(), "last_used_at": shown["last_used_at"]}
    assert "value" not in shown
    assert [key["id"] for key in admin("GET", KEYS).json()["data"]][:1] == [made["id"]]
    assert admin("DELETE", f"{KEYS}/{made['id']}").json()["deleted"]
    wait_for(lambda: fresh("GET", "/models").status_code == 401, seconds=3)
    assert admin.code("GET", f"{KEYS}/{made['id']}") == (404, "key_not_found")
    of = AuditEvent.objects.filter(organization_id=admin.customer.organization.id, detail__key__isnull=False)  # type: ignore[attr-defined]
    acts = list(of.order_by("id").values_list("action", "subject", "actor"))
    actor = f"test ({admin.customer.key.named})"  # type: ignore[attr-defined]
    assert acts == [
        ("key.created", "production", actor),
        ("key.changed", "less", actor),
        ("key.revoked", "less", actor),
    ]


def test_only_an_admin_key_manages_keys_and_none_makes_another(service: Service, admin: Caller) -> None:
    made = admin("POST", KEYS, {"name": "plain"}).json()
    assert made["scopes"] == ["speech", "usage"]
    plain = Caller(service, made["value"])
    for method, path in (("GET", KEYS), ("POST", KEYS), ("DELETE", f"{KEYS}/{made['id']}")):
        assert plain.code(method, path, {}) == (403, "missing_scope")
    refused = admin("POST", KEYS, {"name": "queen", "scopes": ["admin"]})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "scopes[0]")
    own = f"{KEYS}/key_{admin.customer.key.id.hex}"  # type: ignore[attr-defined]
    assert admin.code("DELETE", own) == (403, "key_protected")
    assert admin.code("POST", own, {"name": "other"}) == (403, "key_protected")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "see www.evil.example"}, "name"),
        ({"name": "x", "requests_per_minute": 0}, "requests_per_minute"),
        ({"name": "x", "allowed_addresses": ["10.0.0.300"]}, "allowed_addresses[0]"),
        ({"name": "x", "expires_at": 1}, "expires_at"),
        ({"name": "x", "owner": "me"}, "owner"),
    ],
)
def test_a_wrong_key_is_refused_by_its_member(admin: Caller, body: dict[str, Any], param: str) -> None:
    answer = admin("POST", KEYS, body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_another_organizations_project_and_keys_are_nowhere(
    service: Service, admin: Caller, new_customer: Callable[..., Customer]
) -> None:
    made = admin("POST", KEYS, {"name": "mine"}).json()
    other = new_customer(reach=Reach(scopes=("admin",)))
    stranger = Caller(service, other.secret)
    own = f"proj_{other.organization.id.hex}"
    theirs = f"proj_{admin.customer.organization.id.hex}"  # type: ignore[attr-defined]
    for method in ("GET", "DELETE"):
        assert stranger.code(method, f"{KEYS}/{made['id']}") == (404, "key_not_found")
        path = f"/organization/projects/{theirs}/api_keys/{made['id']}"
        assert stranger.code(method, path) == (404, "project_not_found")
    assert stranger.code("POST", f"{KEYS}/{made['id']}", {"name": "x"}) == (404, "key_not_found")
    assert stranger.code("GET", f"{KEYS}?after={made['id']}") == (404, "key_not_found")
    listed = stranger("GET", f"/organization/projects/{own}/api_keys").json()["data"]
    assert [key["name"] for key in listed] == ["test"]
    assert ApiKey.objects.get(id=made["id"].removeprefix("key_")).revoked_at is None


def secret_of(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = caller("POST", "/realtime/client_secrets", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_web_page_speaks_with_a_client_secret_and_does_nothing_else(
    service: Service, customer: Customer
) -> None:
    made = secret_of(Caller(service, customer.secret), origins=["https://app.example.com"])
    assert made["value"].startswith("ek_")
    assert 590 < made["expires_at"] - time.time() <= 600
    page = Caller(service, made["value"], origin="https://app.example.com")
    spoken = page("POST", "/chat/completions", scripted(2))
    assert spoken.status_code == 200
    audio_id = spoken.json()["choices"][0]["message"]["audio"]["id"]
    assert page("GET", f"/audio/{audio_id}").status_code == 200
    for path in ("/usage", "/key", "/files", "/batches", KEYS, "/requests/req_1"):
        assert page.code("GET", path) == (403, "missing_scope"), path
    assert page.code("POST", "/realtime/client_secrets", {}) == (403, "missing_scope")
    elsewhere = Caller(service, made["value"], origin="https://evil.example")
    assert elsewhere.code("POST", "/chat/completions", scripted(2)) == (401, "origin_not_allowed")
    assert Caller(service, made["value"]).code("GET", "/models") == (401, "origin_not_allowed")


def test_a_client_secret_ends_with_its_time_and_with_its_key(service: Service, admin: Caller) -> None:
    from datetime import timedelta

    from django.utils import timezone

    made = admin("POST", KEYS, {"name": "web", "scopes": ["speech"]}).json()
    key = ApiKey.objects.get(id=made["id"].removeprefix("key_"))
    over = ClientSecret(public_id=key.public_id, expires_at=timezone.now() - timedelta(seconds=1)).write()
    assert Caller(service, over).code("GET", "/models") == (401, "invalid_api_key")
    page = Caller(service, secret_of(Caller(service, made["value"]))["value"])
    assert page("GET", "/models").status_code == 200
    admin("DELETE", f"{KEYS}/{made['id']}")
    wait_for(lambda: page("GET", "/models").status_code == 401, seconds=3)


def test_a_forged_client_secret_is_none(service: Service, customer: Customer) -> None:
    made = secret_of(Caller(service, customer.secret))["value"]
    payload, _, mac = made.removeprefix("ek_").partition(".")
    for text in (f"{payload}.{mac[::-1]}", f"{payload[:-2]}.{mac}", payload, "", ".", f"{payload}.é", "W10.W10"):
        forged = f"ek_{text}"
        answer = httpx.get(f"{service.url}/v1/models", headers={b"authorization": f"Bearer {forged}".encode()})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key"), forged


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"origins": ["https://app.example.com/path"]}, "origins[0]"),
        ({"scopes": ["admin"]}, "scopes[0]"),
    ],
)
def test_a_wrong_client_secret_is_refused_by_its_member(
    service: Service, customer: Customer, body: dict[str, Any], param: str
) -> None:
    answer = Caller(service, customer.secret)("POST", "/realtime/client_secrets", body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
