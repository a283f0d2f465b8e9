"""Invitations: an e-mail with a link that the holder of the address can accept once, within a week."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, mailboxes
from accounts.audit import Actor
from accounts.models import AuditEvent, Invitation, InvitedMailbox, Membership, Organization
from accounts.organizations import Refused

VALID = timedelta(days=7)
EVERY = timedelta(hours=1)
"""A mailbox gets at most one invitation in this time, from all organizations together."""
MOST_A_DAY = 20
"""For an organization that has not paid."""
MAX_OPEN = 50
"""E-mails to strangers carry our name, so an organization can have this many open at a time."""

_Act = AuditEvent.Action


@transaction.atomic
def create(
    *, organization: Organization, email: str, role: Membership.Role, by: Actor, trusted: bool = False
) -> tuple[Invitation, str]:
    """Invite an address. The second value is the token for the link, which is not stored.

    A second invitation of an address replaces the first, and counts as another e-mail.

    Args:
        trusted: whether the organization has paid; one that has may send more than MOST_A_DAY.

    Raises:
        Refused: the person is a member already, the role is the owner's, or there are too many invitations: open
            ones, of the last day, or to this mailbox within EVERY.
    """
    email = email.lower()
    if role == Membership.Role.OWNER:
        raise Refused("You cannot invite an owner. Invite an admin, then transfer the organization.")
    if Membership.objects.filter(organization=organization, user__email__iexact=email).exists():
        raise Refused(f"{email} is already a member.")
    now = timezone.now()
    Organization.objects.select_for_update(no_key=True).get(
        pk=organization.pk
    )  # its e-mails are counted one at a time
    lately = Invitation.objects.filter(organization=organization, created_at__gt=now - timedelta(days=1))
    if not trusted and lately[:MOST_A_DAY].count() >= MOST_A_DAY:
        raise Refused(f"Unpaid organizations can send {MOST_A_DAY} invitations per day. Try again tomorrow.")
    if not _may_write_to(email):
        raise Refused("This mailbox got an invitation within the last hour. Wait before you send another one.")
    of_organization = Invitation.objects.filter(organization=organization, accepted_at=None, withdrawn_at=None)
    of_organization.filter(email__iexact=email).update(withdrawn_at=now)
    if of_organization.filter(expires_at__gt=now).count() >= MAX_OPEN:
        raise Refused(f"You have {MAX_OPEN} open invitations. Withdraw some, or wait until they are accepted.")
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                organization=organization,
                email=email,
                role=role,
                token_hash=_hash(token),
                invited_by=by.user,
                expires_at=now + VALID,
            )
    except IntegrityError:
        raise Refused(f"{email} was invited just now.") from None
    audit.record(organization_id=organization.id, by=by, action=_Act.MEMBER_INVITED, subject=email, role=str(role))
    return invitation, token


def _may_write_to(email: str) -> bool:
    """Record an e-mail to this mailbox; False, without a record, if the last one is too recent."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {InvitedMailbox._meta.db_table} AS known (mailbox, sent_at)
            VALUES (%s, statement_timestamp())
            ON CONFLICT (mailbox) DO UPDATE SET sent_at = excluded.sent_at
            WHERE known.sent_at <= excluded.sent_at - make_interval(secs => %s)
            RETURNING 1
            """,  # noqa: S608  # the table's name is ours
            (mailboxes.hash_of(email), EVERY.total_seconds()),
        )
        return cursor.fetchone() is not None


def find(token: str) -> Invitation | None:
    """The open invitation with this token."""
    return _open().filter(token_hash=_hash(token)).first()


def for_addresses(emails: list[str]) -> list[Invitation]:
    """The open invitations to the addresses that a person has confirmed."""
    return list(_open().filter(email__in=[email.lower() for email in emails]))


def of_organization(organization_id: UUID) -> list[Invitation]:
    return list(_open().filter(organization=organization_id).order_by("id"))


@transaction.atomic
def accept(*, invitation: Invitation, by: Actor) -> None:
    """Join. The caller must check that the person holds the invited address.

    Raises:
        Refused: the invitation was accepted, withdrawn or has expired meanwhile.
    """
    if not _open().filter(id=invitation.id).update(accepted_at=timezone.now()):
        raise Refused("This invitation has expired or was withdrawn. Ask for a new one.")
    Membership.objects.get_or_create(
        organization_id=invitation.organization_id, user=by.user, defaults={"role": invitation.role}
    )
    audit.record(
        organization_id=invitation.organization_id,
        by=by,
        action=_Act.MEMBER_JOINED,
        role=invitation.role,
    )


@transaction.atomic
def withdraw(*, organization_id: UUID, invitation_id: UUID, by: Actor) -> bool:
    """Withdraw an open invitation; False if there is none."""
    wanted = _open().filter(id=invitation_id, organization=organization_id)
    email = wanted.values_list("email", flat=True).first()
    if email is None or not wanted.update(withdrawn_at=timezone.now()):
        return False
    audit.record(organization_id=organization_id, by=by, action=_Act.INVITATION_WITHDRAWN, subject=email)
    return True


def _open() -> QuerySet[Invitation]:
    unused = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())
    return unused.select_related("organization", "invited_by")


def _hash(token: str) -> bytes:
    """A random token of 256 bits needs no slow hash."""
    return hashlib.sha256(token.encode()).digest()
