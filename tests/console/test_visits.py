"""The operator's people look at a customer's console: all of it, changing nothing, and never unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import permissions, visits
from accounts.identifiers import new_id
from accounts.models import AuditEvent, Membership, User, Visit
from accounts.permissions import Action
from billing.models import OperatorAct
from operations import roles
from operations.roles import Role
from tests.console.people import Office, browser, called, person
from tests.console.test_access import NEEDS, ROUTES, address, everything, ids_of

pytestmark = pytest.mark.django_db
BANNER = "You are visiting Acme"
REASON = {"reason": "ticket 4711: charts are empty"}


@pytest.fixture
def olga() -> User:
    return operator("olga@speech.example", Role.SUPPORT)


def operator(email: str, role: Role) -> User:
    user = person(email)
    roles.appoint(user, role)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def way_in(office: Office) -> str:
    return reverse("admin:accounts_organization_change", args=(office.organization.pk,)).replace("change", "visit")


def visiting(user: User, office: Office) -> Client:
    client = browser(user)
    answer = client.post(way_in(office), REASON)
    assert (answer.status_code, answer.url) == (302, office.path())
    return client


def withheld(name: str) -> bool:
    return NEEDS.get(name, Action.SEE_USAGE) not in permissions.VISITOR


# What is seen


def test_every_page_is_seen_under_the_banner(acme: Office, olga: User, subtests: pytest.Subtests) -> None:
    called(acme)
    ids = ids_of(acme)
    operators, customers = visiting(olga, acme), browser(acme.owner)
    for name, route in ROUTES.items():
        with subtests.test(name):
            page = address(route, acme, ids)
            visitor, member = operators.get(page), customers.get(page)
            if withheld(name):
                assert visitor.status_code == 403
            else:
                assert visitor.status_code == member.status_code
            if visitor.headers["content-type"].startswith("text/html") and visitor.status_code in (200, 403):
                html = visitor.content.decode()
                assert (BANNER in html) == ("<!doctype" in html)
                assert member.streaming or BANNER not in member.content.decode()


def test_what_is_said_and_heard_is_withheld(acme: Office, olga: User) -> None:
    assert {name for name in ROUTES if withheld(name)} == {
        "request_audio", "playground", "playground_key", "playground_history", "organization_delete",
        "organization_export",
        "speak_as_written", "batch_cancel", "batch_results", "batch_audio",
        "pronunciation", "pronunciation_create", "pronunciation_change", "pronunciation_delete",
        "voices", "voice_new", "voice_sample", "voice_rename", "voice_delete",
        "consent_new", "consent_recording", "consent_delete",
    }  # fmt: skip
    client = visiting(olga, acme)
    assert "for members alone" in client.get(acme.path("playground")).content.decode()
    assert acme.path("playground") not in client.get(acme.path("keys")).content.decode()


# What is not done


def test_nothing_is_sent_from_any_page(acme: Office, olga: User, subtests: pytest.Subtests) -> None:
    ids, client = ids_of(acme), visiting(olga, acme)
    before = everything(acme)
    for name, route in ROUTES.items():
        page = address(route, acme, ids)
        for send in (client.post, client.put, client.patch, client.delete, client.trace):
            with subtests.test(name, method=send.__name__):
                answer = send(page)
                assert answer.status_code == 403
                assert BANNER in answer.content.decode()
    assert everything(acme) == before


def test_a_visit_is_to_one_organization(acme: Office, rival: Office, olga: User) -> None:
    client = visiting(olga, acme)
    assert client.get(rival.path("keys")).status_code == 404
    assert visiting(olga, rival).get(rival.path("keys")).status_code == 200
    assert client.get(acme.path("keys")).status_code == 404
    assert Visit.objects.filter(ended_at=None).count() == 1


def test_ones_own_organization_stays_as_it_is(acme: Office, rival: Office, olga: User) -> None:
    Membership.objects.create(organization=rival.organization, user=olga, role="admin")
    client = visiting(olga, acme)
    assert client.post(rival.path("settings"), {"name": "Renamed"}).status_code == 302
    assert "You are a member of Renamed" in client.post(way_in(rival), REASON).content.decode()
    assert client.get("/console").url == rival.path()


# Who gets in, and when it is over


@pytest.mark.parametrize("role", Role)
def test_a_role_a_factor_and_a_reason_are_needed(acme: Office, role: Role) -> None:
    user = operator("one@speech.example", role)
    client = browser(user)
    client.post(way_in(acme), {"reason": " "})
    assert client.get(acme.path("keys")).status_code == 404
    allowed = role in (Role.SUPPORT, Role.OPERATIONS)
    assert client.post(way_in(acme), REASON).status_code == (302 if allowed else 403)
    assert client.get(acme.path("keys")).status_code == (200 if allowed else 404)
    Authenticator.objects.filter(user=user).delete()
    assert client.get(acme.path("keys")).status_code == 404
    assert client.post(way_in(acme), REASON, follow=True).status_code in (200, 403)
    assert not Visit.objects.filter(ended_at=None).exists()


def test_customers_visit_nobody(acme: Office, rival: Office) -> None:
    client = browser(acme.owner)
    assert client.post(way_in(rival), REASON, follow=True).status_code == 403
    assert client.get(rival.path("keys")).status_code == 404


def test_with_the_role_the_visit_is_gone_for_good(acme: Office, olga: User) -> None:
    client = visiting(olga, acme)
    roles.appoint(olga, Role.BILLING)
    assert client.get(acme.path("keys")).status_code == 404
    roles.appoint(olga, Role.SUPPORT)
    assert client.get(acme.path("keys")).status_code == 404


def test_it_ends_by_a_button(acme: Office, olga: User) -> None:
    client = visiting(olga, acme)
    way_out = reverse("admin:visit_end", args=(acme.organization.pk,))
    assert f'action="{way_out}"' in client.get(acme.path("keys")).content.decode()
    assert client.get(way_out).status_code == 405
    answer = client.post(way_out)
    assert answer.url == reverse("admin:accounts_organization_change", args=(acme.organization.pk,))
    assert client.get(acme.path("keys")).status_code == 404


def test_it_ends_by_itself(acme: Office, olga: User) -> None:
    client = visiting(olga, acme)
    past = timezone.now() - timedelta(hours=1)
    Visit.objects.update(began_at=past, expires_at=past + visits.LIFE)
    assert client.get(acme.path("keys")).status_code == 404
    assert visiting(olga, acme).get(acme.path("keys")).status_code == 200
    first = Visit.objects.order_by("id")[0]
    assert first.ended_at == first.expires_at


def test_two_at_once_are_refused_by_the_database(acme: Office, olga: User) -> None:
    visiting(olga, acme)
    another = Visit.objects.get()
    another.id = new_id()
    with pytest.raises(IntegrityError, match="visit_open_once_an_operator"), transaction.atomic():
        another.save(force_insert=True)


# Who knows of it


def test_both_sides_read_of_it(acme: Office, olga: User) -> None:
    visiting(olga, acme)
    page = browser(acme.owner).get(acme.path("activity")).content.decode()
    assert "olga@speech.example" in page
    assert "looked at the console as support" in page
    assert f"until: {Visit.objects.get().expires_at:%H:%M} UTC" in page
    assert REASON["reason"] not in page
    noted = AuditEvent.objects.get(organization_id=acme.organization.id, action="support.visited")
    assert noted.address is None
    act = OperatorAct.objects.get(what__contains=str(acme.organization.id))
    assert (act.actor, act.reason) == ("olga@speech.example", REASON["reason"])
