"""Writing down who did what in an organization. The log only grows; a trigger refuses the rest."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from accounts.models import AuditEvent, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who does something, and from where."""

    user: User
    address: str | None = None


def record(
    *, organization_id: UUID, by: Actor, action: AuditEvent.Action, subject: str = "", **detail: str | int | None
) -> AuditEvent:
    """Note an act, in the transaction that does it. `subject` is whom or what it was done to."""
    return AuditEvent.objects.create(
        organization_id=organization_id,
        actor_id=by.user.pk,
        actor=by.user.email,
        address=by.address,
        action=action,
        subject=subject,
        detail={name: value for name, value in detail.items() if value is not None},
    )
