"""Two people at once: an invitation is accepted once, an organization is handed over once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connections

from accounts import invitations, organizations
from accounts.audit import Actor
from accounts.models import AuditEvent, Invitation, Membership, Organization, User
from accounts.organizations import Refused

pytestmark = pytest.mark.usefixtures("committed")
TRIES = 5


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all in threads that wait for each other; what each came to."""
    gate = Barrier(len(acts))

    def do(act: Callable[[], object]) -> str:
        try:
            gate.wait(10)
            act()
        except Refused:
            return "refused"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(do, acts))


def found() -> tuple[Organization, Actor]:
    organization = organizations.create(name="A", owner_email=f"{uuid4().hex}@example.com")
    return organization, Actor(user=User.objects.get(memberships__organization=organization))


def join(organization: Organization) -> User:
    user = User.objects.create_user(f"{uuid4().hex}@example.com")
    Membership.objects.create(organization=organization, user=user, role="viewer")
    return user


def test_two_heirs_one_owner() -> None:
    for _ in range(TRIES):
        organization, owner = found()
        heirs = [join(organization), join(organization)]

        def give(heir: User, organization: Organization = organization, owner: Actor = owner) -> None:
            organizations.transfer(organization_id=organization.id, to_user_id=heir.pk, by=owner)

        assert at_once(*(lambda heir=heir: give(heir) for heir in heirs)) == ["done", "refused"]
        [new_owner] = Membership.objects.filter(organization=organization, role="owner")
        assert new_owner.user in heirs


def test_one_invitation_one_join() -> None:
    for _ in range(TRIES):
        organization, owner = found()
        invitation, _token = invitations.create(
            organization=organization, email=f"{uuid4().hex}@example.com", role=Membership.Role.VIEWER, by=owner
        )
        guests = [Actor(user=User.objects.create_user(f"{uuid4().hex}@example.com")) for _ in range(2)]

        def accept(guest: Actor, invitation: Invitation = invitation) -> None:
            invitations.accept(invitation=invitation, by=guest)

        assert at_once(*(lambda guest=guest: accept(guest) for guest in guests)) == ["done", "refused"]
        joined = AuditEvent.objects.filter(organization_id=organization.id, action="member.joined")
        assert (
            joined.count()
            == Membership.objects.filter(organization=organization).exclude(role="owner").count()
            == 1
        )


def test_one_address_one_open_invitation() -> None:
    for _ in range(TRIES):
        organization, owner = found()
        vera = f"{uuid4().hex}@example.com"

        def invite(organization: Organization = organization, owner: Actor = owner, vera: str = vera) -> None:
            invitations.create(organization=organization, email=vera, role=Membership.Role.VIEWER, by=owner)

        at_once(invite, invite, invite)
        assert len(invitations.of_organization(organization.id)) == 1
