"""Invitations: a letter with a link, which whoever holds the invited address may accept once, for a week."""

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
"""A mailbox is sent one invitation in this time, whoever invites it."""
MOST_A_DAY = 20
"""Invitations of an organization that has not paid."""
MAX_OPEN = 50
"""Letters to strangers carry our name: an organization may have this many open at a time."""

_Act = AuditEvent.Action


@transaction.atomic
def create(
    *, organization: Organization, email: str, role: Membership.Role, by: Actor, trusted: bool = False
) -> tuple[Invitation, str]:
    """Invite an address; the second value is the token for the link, which is kept nowhere.

    A second invitation of an address takes the first one's place, and counts as a letter like any other.

    Args:
        trusted: whether the organization has paid; one that has may send more than MOST_A_DAY.

    Raises:
        Refused: the person is a member already, the role is the owner's, or there are too many invitations: open
            ones, of the last day, or to this mailbox within EVERY.
    """
    email = email.lower()
    if role == Membership.Role.OWNER:
        raise Refused("Nobody is invited as owner. Invite an admin, and hand the organization over.")
    if Membership.objects.filter(organization=organization, user__email__iexact=email).exists():
        raise Refused(f"{email} is a member already.")
    now = timezone.now()
    Organization.objects.select_for_update(no_key=True).get(
        pk=organization.pk
    )  # its letters are counted one by one
    lately = Invitation.objects.filter(organization=organization, created_at__gt=now - timedelta(days=1))
    if not trusted and lately[:MOST_A_DAY].count() >= MOST_A_DAY:
        raise Refused(f"{MOST_A_DAY} invitations a day are sent until the organization has paid. Go on tomorrow.")
    if not _may_write_to(email):
        raise Refused(
            "This mailbox was sent an invitation within the last hour. Wait before you send another one."
        )
    of_organization = Invitation.objects.filter(organization=organization, accepted_at=None, withdrawn_at=None)
    of_organization.filter(email__iexact=email).update(withdrawn_at=now)
    if of_organization.filter(expires_at__gt=now).count() >= MAX_OPEN:
        raise Refused(f"{MAX_OPEN} invitations are open. Withdraw some, or wait until they are accepted.")
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
        raise Refused(f"{email} was invited at this very moment.") from None
    audit.record(organization_id=organization.id, by=by, action=_Act.MEMBER_INVITED, subject=email, role=str(role))
    return invitation, token


def _may_write_to(email: str) -> bool:
    """Note an e-mail to this mailbox; False, and nothing noted, where the last one is too recent."""
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
    """The open invitations of a person, by the addresses that the person has proved to hold."""
    return list(_open().filter(email__in=[email.lower() for email in emails]))


def of_organization(organization_id: UUID) -> list[Invitation]:
    return list(_open().filter(organization=organization_id).order_by("id"))


@transaction.atomic
def accept(*, invitation: Invitation, by: Actor) -> None:
    """Join; that the person holds the invited address is the caller's to prove.

    Raises:
        Refused: the invitation was accepted, withdrawn or has expired meanwhile.
    """
    if not _open().filter(id=invitation.id).update(accepted_at=timezone.now()):
        raise Refused("This invitation has expired or was withdrawn. Ask for another one.")
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
    """End an open invitation; False where there is no such one."""
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
    """256 random bits need no slow hash: there is nothing to guess."""
    return hashlib.sha256(token.encode()).digest()
