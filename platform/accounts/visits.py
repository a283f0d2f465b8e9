"""Visits: an operator views a customer's console, and cannot change anything there.

The customer reads in the audit log that it happens, by whom and until when. The reason stays with the operator: it
may speak of others.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from accounts.models import AuditEvent, Membership, Organization, User, Visit
from accounts.organizations import Refused
from accounts.ports import Port

LIFE = timedelta(minutes=30)

may_visit = Port[[User], bool]("decides who may visit")


@transaction.atomic
def begin(*, operator: User, organization: Organization, reason: str) -> Visit:
    """Start a visit, and end the operator's previous one.

    Raises:
        Refused: the operator is a member, or begins another visit at this very moment.
    """
    if Membership.objects.filter(organization=organization, user=operator).exists():
        raise Refused(f"You are a member of {organization} and can open its console directly.")
    end(operator=operator)
    now = timezone.now()
    try:
        with transaction.atomic():
            visit = Visit.objects.create(
                operator=operator, organization=organization, reason=reason, began_at=now, expires_at=now + LIFE
            )
    except IntegrityError:
        raise Refused("You are starting another visit right now.") from None
    audit.record(
        organization_id=organization.id,
        by=Actor(user=operator),
        action=AuditEvent.Action.SUPPORT_VISITED,
        until=f"{visit.expires_at:%H:%M} UTC",
    )
    return visit


def end(*, operator: User) -> bool:
    """End the operator's open visit; returns whether there was one."""
    open_one = Visit.objects.filter(operator=operator, ended_at=None)
    return bool(open_one.update(ended_at=Least(timezone.now(), F("expires_at"))))


def current(*, operator: User, organization_id: UUID) -> Visit | None:
    """The visit by which a person can view this organization now.

    `may_visit` is asked each time: the visit ends once its operator has lost that right.
    """
    visit = (
        Visit.objects.filter(
            operator=operator, organization=organization_id, ended_at=None, expires_at__gt=timezone.now()
        )
        .select_related("organization")
        .first()
    )
    if visit is None or may_visit(operator):
        return visit
    end(operator=operator)
    return None
