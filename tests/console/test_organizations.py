"""One owner, always; invitations that only the invited can accept; a log that only grows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts import audit, invitations, organizations
from accounts.audit import Actor
from accounts.models import AuditEvent, Invitation, InvitedMailbox, Membership
from accounts.organizations import Refused
from tests.console.people import Office, browser, person

Role = Membership.Role


def roles(office: Office) -> dict[str, str]:
    return dict(Membership.objects.filter(organization=office.organization).values_list("user__email", "role"))


def acts(office: Office) -> list[str]:
    events = AuditEvent.objects.filter(organization_id=office.organization.id).order_by("id")
    return list(events.values_list("action", flat=True))


def test_ownership_is_handed_over(acme: Office) -> None:
    ana = acme.join("ana@acme.example", Role.DEVELOPER)
    browser(acme.owner).post(acme.path(f"members/{ana.pk}/transfer"))
    assert roles(acme) == {"owner@acme.example": "admin", "ana@acme.example": "owner"}
    assert acts(acme) == ["organization.created", "organization.transferred"]
    with pytest.raises(Refused, match="Only the owner"):  # the second of two at once comes too late
        organizations.transfer(organization_id=acme.organization.id, to_user_id=acme.owner.pk + 1, by=acme.actor)


def test_it_is_handed_to_a_member_or_not_at_all(acme: Office, rival: Office) -> None:
    with pytest.raises(Refused, match="must be a member"):
        organizations.transfer(organization_id=acme.organization.id, to_user_id=rival.owner.pk, by=acme.actor)
    assert roles(acme) == {"owner@acme.example": "owner"}


def test_the_owner_neither_leaves_nor_is_removed_nor_demoted(acme: Office) -> None:
    admin = browser(acme.join("admin@acme.example", Role.ADMIN))
    admin.post(acme.path(f"members/{acme.owner.pk}/remove"))
    admin.post(acme.path(f"members/{acme.owner.pk}/role"), {"role": "viewer"})
    answer = browser(acme.owner).post(acme.path("leave"), follow=True)
    assert "must transfer the organization first" in answer.content.decode()
    assert roles(acme)["owner@acme.example"] == "owner"


def test_nobody_is_made_owner_by_a_change_of_role(acme: Office) -> None:
    ana = acme.join("ana@acme.example", Role.VIEWER)
    browser(acme.owner).post(acme.path(f"members/{ana.pk}/role"), {"role": "owner"})
    assert roles(acme)["ana@acme.example"] == "viewer"
    browser(acme.owner).post(acme.path(f"members/{ana.pk}/role"), {"role": "billing"})
    assert roles(acme)["ana@acme.example"] == "billing"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM accounts_membership WHERE role = 'owner'",
        "UPDATE accounts_membership SET role = 'admin' WHERE role = 'owner'",
        "UPDATE accounts_membership SET role = 'owner'",
    ],
)
def test_the_database_keeps_one_owner(acme: Office, statement: str) -> None:
    acme.join("ana@acme.example", Role.VIEWER)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}")


def test_leaving_and_removing(acme: Office) -> None:
    ana, bill = acme.join("ana@acme.example", Role.ADMIN), acme.join("bill@acme.example", Role.BILLING)
    browser(ana).post(acme.path(f"members/{bill.pk}/remove"))
    browser(ana).post(acme.path("leave"))
    assert roles(acme) == {"owner@acme.example": "owner"}
    assert acts(acme)[1:] == ["member.removed", "member.left"]
    assert browser(ana).get(acme.path("usage")).status_code == 404


def invite(office: Office, email: str = "vera@new.example", role: str = "developer") -> str:
    """The path that the letter leads to."""
    answer = browser(office.owner).post(office.path("members/invite"), {"email": email, "role": role})
    assert answer.status_code == 200
    found = re.search(r"http://127.0.0.1:8000(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found
    assert found[0] in answer.content.decode()  # shown once, for who hands it over another way
    return found[1]


def test_an_invitation_is_accepted_by_whom_it_names(acme: Office) -> None:
    path = invite(acme)
    assert mail.outbox[-1].to == ["vera@new.example"]
    token = path.rpartition("/")[2]
    stored = Invitation.objects.values().get()
    assert token not in str(stored)
    assert token.encode() not in bytes(stored["token_hash"])

    stranger = browser(person("eve@elsewhere.example"))
    accept = f"/console/invitations/inv_{stored['id'].hex}/accept"
    assert accept not in stranger.get(path).content.decode()
    assert stranger.post(accept).status_code == 404

    vera = browser(person("vera@new.example"))
    assert accept in vera.get(path).content.decode()
    assert vera.post(accept).url == acme.path()
    assert roles(acme)["vera@new.example"] == "developer"
    assert vera.get(path).status_code == 410
    vera.post(accept)
    assert acts(acme)[1:] == ["member.invited", "member.joined"]


def test_an_address_that_was_not_confirmed_accepts_nothing(acme: Office) -> None:
    invite(acme)
    user = person("vera@new.example")
    user.emailaddress_set.update(verified=False)
    invitation = Invitation.objects.get()
    assert browser(user).post(f"/console/invitations/inv_{invitation.id.hex}/accept").status_code == 404


@pytest.mark.parametrize("end", ["expired", "withdrawn"])
def test_a_void_invitation_is_refused(acme: Office, end: str) -> None:
    path = invite(acme)
    invitation = Invitation.objects.get()
    if end == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        withdraw = acme.path(f"members/invitations/inv_{invitation.id.hex}/withdraw")
        assert browser(acme.owner).post(withdraw).status_code == 302
        assert browser(acme.owner).post(withdraw).status_code == 404
    vera = browser(person("vera@new.example"))
    assert vera.get(path).status_code == 410
    vera.post(f"/console/invitations/inv_{invitation.id.hex}/accept")
    assert "vera@new.example" not in roles(acme)


def test_a_second_invitation_takes_the_place_of_the_first(acme: Office) -> None:
    first = invite(acme)
    InvitedMailbox.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    second = invite(acme, email="Vera@New.example", role="viewer")
    assert browser(acme.owner).get(first).status_code == 410
    assert browser(acme.owner).get(second).status_code == 200
    [open_one] = invitations.of_organization(acme.organization.id)
    assert open_one.role == "viewer"


@pytest.mark.parametrize(
    ("email", "role", "complaint"),
    [
        ("owner@acme.example", "viewer", "is already a member"),
        ("vera@new.example", "owner", "owner is not one of the available choices"),
        ("nobody", "viewer", "Enter a valid email address"),
    ],
)
def test_what_cannot_be_invited_is_said(acme: Office, email: str, role: str, complaint: str) -> None:
    answer = browser(acme.owner).post(acme.path("members/invite"), {"email": email, "role": role})
    assert answer.status_code == 400
    assert complaint in answer.content.decode()
    assert not mail.outbox


def test_open_invitations_are_bounded(acme: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MAX_OPEN", 1)
    invite(acme)
    answer = browser(acme.owner).post(acme.path("members/invite"), {"email": "b@new.example", "role": "viewer"})
    assert "1 open invitations" in answer.content.decode()


@pytest.mark.parametrize(
    "change", ["UPDATE accounts_auditevent SET actor = 'me'", "DELETE FROM accounts_auditevent"]
)
def test_the_audit_log_only_grows(acme: Office, change: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_its_detail_is_bounded(acme: Office) -> None:
    long: Any = {"note": "x" * 5000}
    with pytest.raises(IntegrityError, match="audit_detail_is_bounded"):
        audit.record(
            organization_id=acme.organization.id, by=acme.actor, action=AuditEvent.Action.KEY_CREATED, **long
        )


def test_the_activity_page_says_who_did_what(acme: Office) -> None:
    browser(acme.owner).post(acme.path("settings"), {"name": "Acme & Sons"})
    shown = browser(acme.owner).get(acme.path("activity")).content.decode()
    assert "renamed the organization <strong>Acme &amp; Sons</strong>" in shown
    assert "127.0.0.1" in shown


def test_activity_goes_on_over_pages(acme: Office) -> None:
    for number in range(60):
        audit.record(
            organization_id=acme.organization.id,
            by=Actor(user=acme.owner),
            action=AuditEvent.Action.KEY_CREATED,
            subject=f"key-{number:02}",
        )
    client = browser(acme.owner)
    first = client.get(acme.path("activity")).content.decode()
    following = re.search(r'href="\?(after=act_[0-9a-f]+)"', first)
    assert following
    second = client.get(acme.path(f"activity?{following[1]}")).content.decode()
    shown = re.findall(r"key-(\d\d)", first + second)
    assert shown == [f"{number:02}" for number in reversed(range(60))]


def test_owners_set_how_long_audio_is_kept(acme: Office) -> None:
    owner = browser(acme.owner)
    assert owner.post(acme.path("settings/audio"), {"audio_days": "31"}).status_code == 400
    assert owner.post(acme.path("settings/audio"), {"audio_days": "7"}).status_code == 302
    acme.organization.refresh_from_db()
    assert acme.organization.audio_days == 7
    assert b'value="7"' in owner.get(acme.path("settings")).content
    event = AuditEvent.objects.get(action=AuditEvent.Action.ORGANIZATION_RETENTION_SET)
    assert event.detail == {"to": 7}
    owner.post(acme.path("settings/audio"), {"audio_days": ""})
    acme.organization.refresh_from_db()
    assert acme.organization.audio_days is None
