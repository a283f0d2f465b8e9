"""Service accounts by API: made with a key, listed, and deleted with all their keys."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, transaction

from accounts import keys, service_accounts
from accounts.keys import Reach
from accounts.models import ApiKey, AuditEvent
from tests.conftest import Customer
from tests.gateway.speaking import scripted
from tests.gateway.test_key_api import KEYS, Caller
from tests.live import Service, wait_for
from usage.models import RequestLog

ACCOUNTS = "/organization/projects/default/service_accounts"


@pytest.fixture
def owner(new_customer: Callable[..., Customer]) -> Customer:
    return new_customer(reach=Reach(scopes=("admin",)))


@pytest.fixture
def admin(service: Service, owner: Customer) -> Caller:
    return Caller(service, owner.secret)


def test_it_speaks_with_its_key_and_ends_with_all_of_its_keys(
    service: Service, admin: Caller, owner: Customer
) -> None:
    made = admin("POST", ACCOUNTS, {"name": "build server", "scopes": ["speech"], "concurrent_jobs": 2}).json()
    assert (made["object"], made["role"]) == ("organization.project.service_account", "member")
    api_key = made.pop("api_key")
    assert api_key["object"] == "organization.project.service_account.api_key"
    server = Caller(service, api_key["value"])
    assert server("POST", "/chat/completions", scripted(2)).status_code == 200
    assert server.code("GET", "/usage") == (403, "missing_scope")
    listed = admin("GET", ACCOUNTS).json()
    assert (listed["data"], listed["first_id"], listed["has_more"]) == ([made], made["id"], False)
    assert admin("GET", f"{ACCOUNTS}/{made['id']}").json() == made
    key = admin("GET", f"{KEYS}/{api_key['id']}").json()
    assert key["owner"]["service_account"]["id"] == made["id"]
    assert key["concurrent_jobs"] == 2
    assert admin("GET", f"{KEYS}/key_{owner.key.id.hex}").json()["owner"]["service_account"] is None
    _, second = keys.create(
        organization=owner.organization, name="second", service_account=owner.organization.service_accounts.get()
    )
    assert admin("DELETE", f"{ACCOUNTS}/{made['id']}").json()["deleted"]
    for secret in (api_key["value"], second):
        wait_for(lambda secret=secret: Caller(service, secret)("GET", "/models").status_code == 401, seconds=3)
    assert admin.code("GET", f"{ACCOUNTS}/{made['id']}") == (404, "service_account_not_found")
    assert admin.code("DELETE", f"{ACCOUNTS}/{made['id']}") == (404, "service_account_not_found")
    assert admin("GET", ACCOUNTS).json()["data"] == []
    assert admin("GET", "/key").status_code == 200, "the admin key is nobody's but the organization's"
    logged = RequestLog.objects.filter(organization_id=owner.organization.id, method="DELETE", status=200)
    row = wait_for(logged.first, what="the call is in the log")
    assert row.route == "/v1/organization/projects/{project_id}/service_accounts/{service_account_id}"
    acts = AuditEvent.objects.filter(organization_id=owner.organization.id, subject="build server").order_by("id")
    assert [act.action for act in acts] == ["service_account.created", "service_account.deleted"]
    assert set(acts[1].detail["keys"].split(", ")) == {
        key.named for key in ApiKey.objects.filter(service_account__organization=owner.organization)
    }


def test_pages_of_service_accounts(admin: Caller) -> None:
    names = [admin("POST", ACCOUNTS, {"name": f"server {number}"}).json()["id"] for number in range(3)][::-1]
    first = admin("GET", f"{ACCOUNTS}?limit=2").json()
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (names[:2], True)
    rest = admin("GET", f"{ACCOUNTS}?limit=2&after={first['last_id']}").json()
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (names[2:], False)


def test_only_an_admin_key_and_only_with_a_name(service: Service, admin: Caller, owner: Customer) -> None:
    made = admin("POST", ACCOUNTS, {"name": "server"}).json()
    plain = Caller(service, made["api_key"]["value"])
    for method, path in (("GET", ACCOUNTS), ("POST", ACCOUNTS), ("DELETE", f"{ACCOUNTS}/{made['id']}")):
        assert plain.code(method, path, {}) == (403, "missing_scope")
    for body, param in (({}, "name"), ({"name": ""}, "name"), ({"name": "x", "scopes": ["admin"]}, "scopes[0]")):
        refused = admin("POST", ACCOUNTS, body)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
    assert owner.organization.service_accounts.count() == 1


def test_no_key_outlives_its_account_however_close_the_two_come(owner: Customer) -> None:
    account, key, _ = service_accounts.create(organization=owner.organization, name="server", limits={})

    def end() -> None:
        assert service_accounts.delete(account) is not None
        connection.close()

    with transaction.atomic():  # as a person who rotates the key in the console
        assert service_accounts.lock(account.id)
        deleting = Thread(target=end)
        deleting.start()
        deleting.join(0.3)
        assert deleting.is_alive(), "it waits for the new key"
        assert keys.revoke(public_id=key.public_id)
        keys.create(organization=owner.organization, name="fresh", service_account=account)
    deleting.join()
    assert not account.keys.filter(revoked_at=None).exists()
