"""The audit log of an organization. It is append-only; a trigger enforces that."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from accounts.models import AuditEvent, User

NOBODY = 0
"""The id of an actor who is no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who acts, and their IP address."""

    user: User
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyActor:
    """An API key that acts, as the log is to name it, and the address that it was used from."""

    name: str
    address: str | None = None


def record(
    *,
    organization_id: UUID,
    by: Actor | KeyActor,
    action: AuditEvent.Action,
    subject: str = "",
    **detail: str | int | None,
) -> AuditEvent:
    """Record an action, in its own transaction. `subject` is the person or thing that it changed."""
    return AuditEvent.objects.create(
        organization_id=organization_id,
        actor_id=by.user.pk if isinstance(by, Actor) else NOBODY,
        actor=by.user.email if isinstance(by, Actor) else by.name,
        address=by.address,
        action=action,
        subject=subject,
        detail={name: value for name, value in detail.items() if value is not None},
    )
