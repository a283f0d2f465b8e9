"""A key's life in the console: shown once, limited, rotated with overlap, revoked; each step in the audit log."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import keys, service_accounts
from accounts.models import ApiKey, AuditEvent
from billing import budgets
from billing.models import Budget, BudgetPeriod
from tests.console.people import Office, browser

TERMS = {
    "name": "production",
    "budget_month": "12.5",
    "requests_per_minute": "60",
    "scopes": ["speech"],
    "allowed_addresses": "203.0.113.7, 2001:DB8::/32\n203.0.113.7",
}


def shown_key(html: str) -> str:
    found = re.search(r'data-copy="(sk-[A-Za-z0-9]{16}-[A-Za-z0-9]{43})"', html)
    assert found
    return found[1]


def opens(secret: str) -> bool:
    """Whether the gateway would take it."""
    parts = keys.split(secret)
    assert parts
    key = ApiKey.objects.get(public_id=parts[0])
    principal = keys.Principal(
        key.id, key.organization_id, key.expires_at, bytes(key.secret_hmac), key.pepper_number
    )
    return key.revoked_at is None and keys.verify(principal, parts[1]) and not principal.expired(timezone.now())


def acts(office: Office) -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(organization_id=office.organization.id, action__startswith="key.")
    return list(events.order_by("id").values_list("action", "detail__key"))


def test_a_key_is_shown_once_and_works(acme: Office) -> None:
    client = browser(acme.owner)
    answer = client.post(acme.path("keys/new"), {**TERMS, "name": "ci", "expires": "30"})
    assert answer.headers["cache-control"] == "private, no-store"
    html = answer.content.decode()
    secret = shown_key(html)
    assert opens(secret)
    key = ApiKey.objects.get(name="ci")
    assert key.requests_per_minute == 60
    assert key.scopes == ["speech"]
    assert key.allowed_addresses == ["203.0.113.7/32", "2001:db8::/32"]
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)
    assert Budget.objects.get(api_key_id=key.id, period="month").amount == Decimal("12.5")
    assert html.count(secret) >= 4  # and in each of the three samples
    for page in ("keys", f"keys/{key.named}", "start", "activity"):
        assert secret.rpartition("-")[2] not in client.get(acme.path(page)).content.decode()
    assert acts(acme) == [("key.created", key.named)]


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", "", "This field is required."),
        ("name", "x" * 101, "at most 100 characters"),
        ("expires", "5", "Select a valid choice"),
        ("budget_day", "-1", "greater than or equal to 0"),
        ("budget_day", "0.0000000001", "no more than 9 decimal places"),
        ("budget_total", "1e999", "no more than 15 digits"),
        ("requests_per_minute", "0", "greater than or equal to 1"),
        ("concurrent_jobs", "99999999999", "less than or equal to"),
        ("audio_seconds_per_minute", "many", "Enter a whole number."),
        ("scopes", "everything", "Select a valid choice"),
        ("scopes", [], "This field is required."),
        ("allowed_addresses", "10.0.0.1/8", "is not an IP address or network"),
        ("allowed_addresses", " ".join(f"10.0.0.{n}" for n in range(21)), "At most 20 networks."),
    ],
)
def test_a_wrong_value_is_said_beside_its_field(
    acme: Office, field: str, value: str | list[str], complaint: str
) -> None:
    answer = browser(acme.owner).post(acme.path("keys/new"), {**TERMS, field: value})
    assert re.search(rf'id_{field}_error">[^<]*{re.escape(complaint)}', answer.content.decode())
    assert ApiKey.objects.count() == 1


def test_a_key_is_changed(acme: Office) -> None:
    client, path = browser(acme.owner), acme.path(f"keys/{acme.key.named}")
    client.post(path, TERMS)
    client.post(path, {"name": "prod", "budget_total": "3", "scopes": ["speech", "usage"]})
    key = ApiKey.objects.get(id=acme.key.id)
    assert (key.name, key.requests_per_minute) == ("prod", None)
    assert (key.scopes, key.allowed_addresses) == (["speech", "usage"], [])
    [left] = Budget.objects.filter(api_key_id=key.id)
    assert (left.period, left.amount) == ("total", 3)
    shown = client.get(path).content.decode()
    assert 'name="budget_total" value="3"' in shown
    assert "$0.00 of $3.00" in shown


def test_rotation_overlaps_and_keeps_the_terms(acme: Office) -> None:
    client, path = browser(acme.owner), acme.path(f"keys/{acme.key.named}")
    client.post(path, {**TERMS, "budget_total": "10"})
    total = BudgetPeriod.objects.get(budget__api_key_id=acme.key.id, budget__period="total")
    BudgetPeriod.objects.filter(id=total.id).update(spent=Decimal("7.5"))

    fresh_secret = shown_key(client.post(f"{path}/rotate", {"overlap": "24"}).content.decode())
    assert opens(fresh_secret)
    old, fresh = ApiKey.objects.get(id=acme.key.id), ApiKey.objects.exclude(id=acme.key.id).get()
    assert old.revoked_at is None
    assert old.expires_at is not None
    assert timedelta(hours=23) < old.expires_at - timezone.now() <= timedelta(hours=24)
    assert (fresh.name, fresh.requests_per_minute, fresh.expires_at) == ("production", 60, None)
    assert (fresh.scopes, fresh.allowed_addresses) == (["speech"], ["203.0.113.7/32", "2001:db8::/32"])
    standing = budgets.status(organization_id=acme.organization.id, api_key_id=fresh.id)
    assert {each.period: each.amount for each in standing} == {"month": Decimal("12.5"), "total": Decimal("2.5")}
    assert acts(acme)[-1] == ("key.rotated", old.named)


def test_rotation_at_once_ends_the_old_key(acme: Office) -> None:
    path = acme.path(f"keys/{acme.key.named}/rotate")
    assert opens(shown_key(browser(acme.owner).post(path, {"overlap": "0"}).content.decode()))
    assert ApiKey.objects.get(id=acme.key.id).revoked_at is not None
    again = browser(acme.owner).post(path, {"overlap": "0"}, follow=True).content.decode()
    assert "has expired or was revoked" in again
    assert ApiKey.objects.count() == 2


def test_rotation_does_not_lengthen_a_life(acme: Office) -> None:
    soon = timezone.now() + timedelta(hours=2)
    ApiKey.objects.filter(id=acme.key.id).update(expires_at=soon)
    browser(acme.owner).post(acme.path(f"keys/{acme.key.named}/rotate"), {"overlap": "168"})
    assert set(ApiKey.objects.values_list("expires_at", flat=True)) == {soon}


def test_revoking(acme: Office) -> None:
    client, path = browser(acme.owner), acme.path(f"keys/{acme.key.named}")
    client.post(f"{path}/revoke")
    assert ApiKey.objects.get(id=acme.key.id).revoked_at is not None
    assert "1 revoked or expired" in client.get(acme.path("keys")).content.decode()
    assert "Rotate" not in client.get(path).content.decode()
    client.post(path, {"name": "alive?"})
    assert ApiKey.objects.get(id=acme.key.id).name == "production"
    client.post(f"{path}/revoke")
    assert acts(acme) == [("key.revoked", acme.key.named)]


def test_organizations_budgets_are_set_and_lifted(acme: Office) -> None:
    client = browser(acme.owner)
    client.post(acme.path("billing/budgets"), {"day": "1.5", "month": "20"})
    client.post(acme.path("billing/budgets"), {"day": "", "month": "20"})
    [left] = Budget.objects.filter(organization=acme.organization)
    assert (left.period, left.amount, left.api_key_id) == ("month", 20, None)
    events = AuditEvent.objects.filter(action__startswith="budget.").order_by("id")
    assert [(event.action, event.subject) for event in events] == [
        ("budget.set", "a day"),
        ("budget.set", "a month"),
        ("budget.lifted", "a day"),
    ]
    refused = client.post(acme.path("billing/budgets"), {"day": "much"})
    assert refused.status_code == 400
    assert "Enter a number." in refused.content.decode()


def test_a_service_accounts_key_says_whose_it_is_and_stays_its_own(acme: Office) -> None:
    account, key, _ = service_accounts.create(organization=acme.organization, name="build server", limits={})
    client = browser(acme.owner)
    assert "service account build server" in client.get(acme.path("keys")).content.decode()
    assert f"svc_acct_{account.id.hex}" in client.get(acme.path(f"keys/{key.named}")).content.decode()
    shown_key(client.post(acme.path(f"keys/{key.named}/rotate"), {"overlap": "0"}).content.decode())
    fresh = account.keys.get(revoked_at=None)
    assert fresh.id != key.id
    service_accounts.delete(account)
    refused = client.post(acme.path(f"keys/{fresh.named}/rotate"), {"overlap": "0"}, follow=True)
    assert "has expired or was revoked" in refused.content.decode()
    assert not account.keys.filter(revoked_at=None).exists()
