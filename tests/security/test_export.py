"""What is kept of a customer or a person can be had before it is deleted: all of it, by them alone."""

from __future__ import annotations

import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from billing.models import Account
from gateway import export, zips
from gateway.models import File
from tests.billing.invoices.months_of_use import use
from tests.conftest import Customer
from tests.console.people import Office, browser
from tests.gateway.speaking import decode
from tests.live import Service
from tests.security.test_deletion import found, signed_in

TABLES = (*export.OF_ORGANIZATION, *export.OF_PERSON, *export.BY_ADDRESS)
OPERATORS = "what the operator books or sets, and of no one customer"
DERIVED = "follows from what is exported"
PASSING = "how a request, a call or a sign-in stands for some minutes"
SECRET = "a secret, or what one is verified with"
LEFT_OUT = {
    "accounts.InvitedMailbox": SECRET,
    "accounts.User_groups": OPERATORS,
    "accounts.User_user_permissions": OPERATORS,
    "account.EmailConfirmation": PASSING,
    "auth.Group": OPERATORS,
    "auth.Group_permissions": OPERATORS,
    "auth.Permission": OPERATORS,
    "billing.InvoiceMovement": DERIVED,
    "billing.MonthSeal": OPERATORS,
    "billing.NumberSeries": OPERATORS,
    "billing.OperatorAct": OPERATORS,
    "billing.PromotionCode": OPERATORS,
    "billing.PromotionalClaim": SECRET,
    "billing.PromotionalNetworkDay": OPERATORS,
    "billing.Reservation": PASSING,
    "billing.SealedSum": DERIVED,
    "billing.StripeBalanceTransaction": OPERATORS,
    "billing.StripeCall": PASSING,
    "billing.StripeDelivery": PASSING,
    "billing.StripeDifference": OPERATORS,
    "billing.StripeEvent": PASSING,
    "billing.Verification": OPERATORS,
    "console.Announcement": OPERATORS,
    "contenttypes.ContentType": OPERATORS,
    "inference.Worker": PASSING,
    "operations.MoneyAct": OPERATORS,
    "sessions.Session": PASSING,
    "socialaccount.SocialApp": OPERATORS,
    "socialaccount.SocialToken": SECRET,
    "status.Component": OPERATORS,
    "status.Day": OPERATORS,
    "status.Outage": OPERATORS,
    "usage.RollupDue": DERIVED,
    "usage.UsageRollup": DERIVED,
    "webhooks.WebhookSecret": SECRET,
}
"""The tables that no export has, and why: a new table belongs in here or in an export."""


def test_every_table_is_exported_or_there_is_a_reason() -> None:
    exported = {table.model._meta.label for table in TABLES}
    every = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert every - exported == LEFT_OUT.keys()
    for table in TABLES:
        assert {*table.hidden} <= {field.name for field in table.model._meta.concrete_fields}, table.name


def download(service: Service, user: User, path: str) -> zipfile.ZipFile:
    """What the button on a page sends, over the wire."""
    client = signed_in(user, asked_again=True)
    page = client.get(path).content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[-1]
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    answer = httpx.post(service.url + path, data={"csrfmiddlewaretoken": token}, cookies=cookies, timeout=60)
    assert answer.headers["content-type"] == "application/zip", answer.text[:500]
    assert "attachment" in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(f"{name}.jsonl").decode().splitlines()]


def test_a_slow_reader_keeps_no_transaction_open(committed: None, new_customer: Callable[..., Customer]) -> None:
    owner = owner_of(new_customer())
    organization_id = owner.memberships.get().organization_id
    for members in (export.organization(organization_id), export.person(owner)):
        pieces = 0
        for _ in zips.stream(members):
            pieces += 1
            assert not connection.in_atomic_block
        assert pieces > 1


def owner_of(customer: Customer) -> User:
    owner: User = customer.organization.members.get(memberships__role="owner")
    return owner


def test_all_that_a_deletion_forgets_is_in_the_archive(
    service: Service, personal: Customer, canary: str, new_customer: Callable[..., Customer]
) -> None:
    stranger = new_customer()
    path = f"/console/org_{personal.organization.id.hex}/export"
    archive = download(service, owner_of(personal), path)
    files_of = {table.model._meta.db_table: table.name for table in export.OF_ORGANIZATION}
    places = [place.split(".") for place in found(canary)]
    own_account = {"account_emailaddress", "django_session", "usersessions_usersession"}
    assert {table for table, _ in places} - files_of.keys() <= own_account
    for table, column in places:
        if table in files_of:
            columns = rows(archive, files_of[table])
            assert any(canary in json.dumps(row.get(column)).lower() for row in columns), f"{table}.{column}"
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (personal.secret.rpartition("-")[2], owner_of(personal).password, stranger.organization.id.hex):
        assert secret.encode() not in everything
    assert str(stranger.organization.id).encode() not in everything
    [spoken, _] = [name for name in archive.namelist() if name.startswith("audio/")]
    assert len(decode(archive.read(spoken))[0]) > 0
    [asked, _] = sorted(
        (name for name in archive.namelist() if name.startswith("files/")),
        key=lambda name: canary.encode() not in archive.read(name),
    )
    assert canary.encode() in archive.read(asked)
    assert sum(float(row["amount"]) for row in rows(archive, "ledger_entries")) == pytest.approx(0)
    assert rows(archive, "usage")[0]["cost"].count(".") == 1
    act = AuditEvent.objects.filter(organization_id=personal.organization.id).latest("id")
    assert (act.action, act.actor_id) == ("organization.exported", owner_of(personal).pk)
    listed = json.loads(archive.read("contents.json"))["contents"]
    assert {name.split("/")[0] for name in archive.namelist()} - {"contents.json"} <= {
        name.rstrip("/") for name in listed
    }


def test_a_person_has_what_is_theirs_and_no_more(service: Service, personal: Customer, canary: str) -> None:
    member = User.objects.get(email=f"member-{canary}@example.com")
    AuditEvent.objects.create(
        organization_id=personal.organization.id,
        actor_id=owner_of(personal).pk,
        actor="boss@example.com",
        address="203.0.113.9",
        action="member.invited",
        subject=member.email,
    )
    archive = download(service, member, "/console/account/export")
    assert [row["email"] for row in rows(archive, "person")] == [member.email]
    assert [row["role"] for row in rows(archive, "memberships")] == ["viewer"]
    assert [row["action"] for row in rows(archive, "activity_about_me")] == ["member.invited"]
    assert [row["action"] for row in rows(archive, "activity")] == ["member.exported"]
    assert rows(archive, "sessions")
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for others in (
        "boss@example.com",
        "203.0.113.9",
        owner_of(personal).email,
        member.password,
        f"guest-{canary}",
    ):
        assert others not in everything.replace(member.email, "")


@pytest.mark.django_db
def test_only_the_owner_and_only_after_a_recent_sign_in(acme: Office, rival: Office) -> None:
    path = acme.path("export")
    admin = acme.join("admin@acme.example", "admin")
    assert browser(admin).post(path).status_code == 403
    assert browser(rival.owner).post(path).status_code == 404
    for user, address in ((acme.owner, path), (admin, "/console/account/export")):
        assert "Download" in browser(user).get(address).content.decode()
        asked = signed_in(user, asked_again=False).post(address)
        assert (asked.status_code, "/accounts/reauthenticate/" in asked.headers["location"]) == (302, True)
    assert Client().post(path).status_code == 302
    assert "Download everything" not in browser(admin).get(acme.path("settings")).content.decode()
    assert not AuditEvent.objects.filter(action__endswith="exported").exists()


@pytest.mark.django_db
def test_a_long_history_takes_no_more_memory(acme: Office) -> None:
    def peak() -> int:
        tracemalloc.start()
        try:
            assert sum(len(piece) for piece in zips.stream(export.organization(acme.organization.id)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    Account.objects.filter(organization=acme.organization).update(credit_limit=1000)
    before = peak()
    use(acme.organization, 1_240, requests=8_000, apart="1 second")
    assert peak() < before + 3_000_000


@pytest.mark.django_db
def test_what_went_meanwhile_is_left_out(acme: Office) -> None:
    """As where audio expires while the archive is sent: the row was listed, the file is gone."""
    File.objects.create(
        organization=acme.organization,
        purpose="batch",
        filename="x",
        path="not-there.jsonl",
        bytes=3,
        expires_at=timezone.now() + timedelta(days=1),
    )
    content = b"".join(zips.stream(export.organization(acme.organization.id)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(name.startswith("files/") for name in archive.namelist())
        assert len(rows(archive, "files")) == 1
