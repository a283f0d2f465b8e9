"""Visits: an operator views a customer's console, and cannot change anything there.

The customer reads in the audit log that it happens, by whom and until when. The reason stays with the operator: it
may speak of others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import audit
from accounts.audit import Actor
from accounts.models import AuditEvent, Membership, Organization, User, Visit
from accounts.organizations import Refused

LIFE = timedelta(minutes=30)


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

    Whether they still may visit at all, `settings.MAY_VISIT` says each time; with that gone, the visit ends.
    """
    visit = (
        Visit.objects.filter(
            operator=operator, organization=organization_id, ended_at=None, expires_at__gt=timezone.now()
        )
        .select_related("organization")
        .first()
    )
    may_visit: Callable[[User], bool] = import_string(settings.MAY_VISIT)
    if visit is None or may_visit(operator):
        return visit
    end(operator=operator)
    return None
