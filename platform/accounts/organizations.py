"""Organizations, their members and roles, and their owners.

Each change is one conditional statement whose row count decides, so that of two at once one is refused.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from accounts.models import AuditEvent, Membership, Organization, User

_Act = AuditEvent.Action
_Role = Membership.Role


class Refused(Exception):
    """A change that is not allowed. The message tells the person why."""


@transaction.atomic
def create(*, name: str, owner_email: str, limited: bool = False) -> Organization:
    """Create an organization for the person with this address, who is created, too, if unknown.

    Args:
        limited: whether the person asks for it, and not the operator.

    Raises:
        Refused: the person owns as many as a person may.
    """
    owner = User.objects.filter(email__iexact=owner_email).first() or User.objects.create_user(owner_email)
    if limited and not _may_own_another(owner.pk):
        raise Refused(
            "You own the maximum number of organizations. Transfer one, or contact us to raise the limit."
        )
    organization = Organization.objects.create(name=name)
    Membership.objects.create(organization=organization, user=owner, role=_Role.OWNER)
    audit.record(
        organization_id=organization.id, by=Actor(user=owner), action=_Act.ORGANIZATION_CREATED, subject=name
    )
    return organization


@transaction.atomic
def rename(*, organization_id: UUID, name: str, by: Actor) -> None:
    """Rename an organization; the same name is a no-op."""
    if Organization.objects.filter(id=organization_id).exclude(name=name).update(name=name):
        audit.record(organization_id=organization_id, by=by, action=_Act.ORGANIZATION_RENAMED, subject=name)


@transaction.atomic
def keep_audio(*, organization_id: UUID, days: int | None, by: Actor) -> None:
    """Keep the audio of coming requests for `days`, 0 for not at all, None for as long as the operator keeps it.

    Raises:
        IntegrityError: `days` is out of range.
    """
    organization = Organization.objects.select_for_update().get(id=organization_id)
    if organization.audio_days == days:
        return
    Organization.objects.filter(id=organization_id).update(audio_days=days)
    audit.record(
        organization_id=organization_id,
        by=by,
        action=_Act.ORGANIZATION_RETENTION_SET,
        subject=organization.name,
        was=organization.audio_days,
        to=days,
    )


def suspend(*, organization_id: UUID) -> bool:
    """Refuse its keys within a second; running requests complete. False if it is already suspended."""
    open = Organization.objects.filter(id=organization_id, suspended_at=None)
    return bool(open.update(suspended_at=timezone.now()))


def resume(*, organization_id: UUID) -> bool:
    """End an operator's suspension; False if there is none."""
    suspended = Organization.objects.filter(id=organization_id, deleted_at=None).exclude(suspended_at=None)
    return bool(suspended.update(suspended_at=None))


@transaction.atomic
def change_role(*, organization_id: UUID, user_id: int, role: Membership.Role, by: Actor) -> None:
    """Change a member's role.

    Raises:
        Refused: the role is the owner's, which only `transfer` gives and takes, or there is no such member.
    """
    if role == _Role.OWNER:
        raise Refused("An organization has one owner. Transfer it to change the owner.")
    members = Membership.objects.filter(organization=organization_id, user=user_id).exclude(role=_Role.OWNER)
    if not members.update(role=role):
        raise Refused("This member is the owner or has left.")
    _record(organization_id, by, _Act.MEMBER_ROLE_CHANGED, user_id, role=str(role))


@transaction.atomic
def remove(*, organization_id: UUID, user_id: int, by: Actor) -> None:
    """End a membership: leave, or remove another member.

    Raises:
        Refused: it is the owner's, or there is none.
    """
    members = Membership.objects.filter(organization=organization_id, user=user_id).exclude(role=_Role.OWNER)
    if not members.delete()[0]:
        raise Refused("The member has already left, or is the owner, who must transfer the organization first.")
    _record(organization_id, by, _Act.MEMBER_LEFT if by.user.pk == user_id else _Act.MEMBER_REMOVED, user_id)


@transaction.atomic
def transfer(*, organization_id: UUID, to_user_id: int, by: Actor) -> None:
    """Transfer the organization to another member. The owner, who must ask for it, becomes an admin.

    Raises:
        Refused: whoever asks is not the owner, or the other is no member, or owns as many as a person may.
    """
    members = Membership.objects.filter(organization=organization_id)
    if by.user.pk == to_user_id:
        raise Refused("You already own the organization.")
    if members.filter(user=to_user_id).exists() and not _may_own_another(to_user_id):
        raise Refused("The new owner already owns the maximum number of organizations.")
    if not members.filter(user=by.user, role=_Role.OWNER).update(role=_Role.ADMIN):
        raise Refused("Only the owner can transfer the organization.")
    if not members.filter(user=to_user_id).update(role=_Role.OWNER):
        raise Refused("The new owner must be a member.")
    _record(organization_id, by, _Act.ORGANIZATION_TRANSFERRED, to_user_id)


def _may_own_another(user_id: int) -> bool:
    """Whether a person can own one more. It locks the person's row, so that concurrent calls are counted."""
    person = User.objects.select_for_update(no_key=True).get(pk=user_id)
    most = person.max_organizations or settings.ENVIRONMENT.organizations_per_person
    return Membership.objects.filter(user=person, role=_Role.OWNER).count() < most


def _record(
    organization_id: UUID, by: Actor, action: AuditEvent.Action, user_id: int, **detail: str
) -> AuditEvent:
    subject = User.objects.values_list("email", flat=True).get(id=user_id)
    return audit.record(organization_id=organization_id, by=by, action=action, subject=subject, **detail)
