"""Letters to strangers are few, and say nothing that a stranger has put into our mouth."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import invitations, names
from accounts.models import Invitation, InvitedMailbox, Membership, Organization
from accounts.organizations import Refused
from billing import ledger
from billing.alerts import emails as alert_letters
from billing.models import Alert, AlertKind
from console import emails
from tests.console.people import Office, browser, office
from tests.security.at_once import at_once

EVIL = "Win $1000 at http://evil.example/x\r\nBcc: everybody@example.com\r\n\r\nwww.evil.example evil.com"
NOT_NAMES = {
    "http://evil.example": "web and e-mail addresses",
    "Win at evil.com now": "web and e-mail addresses",
    "www.evil": "web and e-mail addresses",
    "write to me@evil": "web and e-mail addresses",
    "Acme\r\nBcc: a": "on one line",
    "Acme\u2028b": "on one line",
    "Acme\u202egro": "on one line",
    "Acme\x1b[1m": "on one line",
    "A" * 101: "at most 100 characters",
}
NAMES = (
    "Acme, Inc.",
    "Müller & Söhne GmbH",
    "St. Gallen",
    "日本電気",
    "نرم‌افزار",
    "👩‍💻 Ada",
    "A.B.C. Ltd",
    "AT&T: 1/2",
)


def invite(of: Office, email: str) -> str:
    answer = browser(of.owner).post(of.path("members/invite"), {"email": email, "role": "viewer"})
    return answer.content.decode()


@pytest.mark.django_db
def test_an_address_is_written_to_once_an_hour_by_whoever_asks() -> None:
    acme, rival = office("Acme"), office("Rival")
    invite(acme, "vera@new.example")
    for of in (acme, rival, acme):
        for address in ("vera@new.example", "Vera+1@New.example"):
            assert "got an invitation within the last hour" in invite(of, address)
    assert len(mail.outbox) == 1
    assert Invitation.objects.count() == 1
    InvitedMailbox.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    invite(rival, "vera@new.example")
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_an_organization_sends_twenty_a_day_until_it_has_paid() -> None:
    acme = office("Acme")
    for number in range(25):
        invite(acme, f"v{number % 22}@new.example")
        InvitedMailbox.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    assert len(mail.outbox) == 20
    assert "Unpaid organizations can send 20 invitations per day" in invite(acme, "w@new.example")
    ledger.top_up(organization=acme.organization, amount=Decimal(5), cause="paid")
    invite(acme, "w@new.example")
    assert len(mail.outbox) == 21


@pytest.mark.django_db
def test_replacing_an_invitation_counts() -> None:
    acme = office("Acme")
    for _ in range(25):
        invite(acme, "vera@new.example")
        InvitedMailbox.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    assert len(mail.outbox) == 20


def test_twenty_invitations_of_one_address_at_once(committed: None) -> None:
    offices = [office(uuid4().hex) for _ in range(20)]
    address = f"{uuid4().hex}@new.example"

    def write(number: int) -> bool:
        of = offices[number]
        try:
            invitations.create(
                organization=of.organization, email=address, role=Membership.Role.VIEWER, by=of.actor
            )
        except Refused:
            return False
        return True

    assert sum(at_once(write)) == 1


def test_an_organizations_day_is_counted_exactly_at_once(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_A_DAY", 7)
    of, name = office(uuid4().hex), uuid4().hex

    def write(number: int) -> bool:
        email = f"{number}{name}@new.example"
        try:
            invitations.create(organization=of.organization, email=email, role=Membership.Role.VIEWER, by=of.actor)
        except Refused:
            return False
        return True

    assert sum(at_once(write)) == 7


@pytest.mark.django_db
@pytest.mark.parametrize("name", NOT_NAMES)
def test_a_name_with_a_link_or_a_line_break_is_refused_where_it_is_typed_in(name: str) -> None:
    acme = office("Acme")
    client = browser(acme.owner)
    forms = {
        "/console/organizations/new": {"name": name},
        acme.path("settings"): {"name": name},
        acme.path("keys/new"): {"name": name, "scopes": ["speech"]},
        "/accounts/signup/": {"email": "e@new.example", "password1": "an analytical engine", "organization": name},
    }
    for path, form in forms.items():
        asking = Client() if path.startswith("/accounts") else client
        page = asking.post(path, form).content.decode()
        assert NOT_NAMES[name] in page, path
    assert Organization.objects.count() == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_as_it_is(name: str) -> None:
    names.check(name)
    assert names.plain(name) == name


def check(subject: str, body: str) -> None:
    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) < 250
    for part in (subject, body):
        assert not any(
            each in part for each in ("://evil", "www.", "evil.example", "evil.com", "\nBcc:", "@example")
        )


@pytest.mark.django_db
def test_names_of_rows_that_exist_do_no_harm_in_letters() -> None:
    acme = office("Acme")
    Organization.objects.update(name=EVIL)
    acme.organization.refresh_from_db()
    invitation, _ = invitations.create(
        organization=acme.organization, email="v@new.invalid", role=Membership.Role.VIEWER, by=acme.actor
    )
    invitation.invited_by = None
    assert emails.send_invitation(invitation, "LINK")
    alert = Alert(
        organization=acme.organization, kind=AlertKind.BUDGET, key="sk-1", key_name=EVIL, period="total",
        percent=50, amount=Decimal(2), reached=Decimal(1),
    )  # fmt: skip
    alert_letters.send(alert, "v@new.invalid")
    assert len(mail.outbox) == 2
    for letter in mail.outbox:
        check(letter.subject, str(letter.body))
        assert letter.message()["bcc"] is None


@pytest.mark.parametrize("text", [EVIL, "a.b.c.d.evil.com", "x://y://z", "a@b@c.de", "http:///evil.com"])
def test_what_is_made_harmless_has_nothing_left_to_refuse(text: str) -> None:
    with pytest.raises(ValidationError):
        names.check(text)
    names.check(names.plain(text))


@pytest.mark.django_db
def test_the_operators_command_makes_harmless_letters_too(settings: Any) -> None:
    call_command("create_organization", EVIL, "--owner", "owner@evil.invalid")
    organization = Organization.objects.get()
    subject = f"Join {names.plain(organization.name)} on Speech"
    check(subject, "")
