"""People, organizations and keys. An organization owns everything; people are members; keys act for it."""

from __future__ import annotations

from accounts.models.audit import AuditEvent, Visit
from accounts.models.invitations import Invitation, InvitedMailbox
from accounts.models.keys import ApiKey, ServiceAccount, every_scope
from accounts.models.limits import Limited
from accounts.models.organizations import MAX_AUDIO_DAYS, Membership, Organization
from accounts.models.people import User

__all__ = [
    "MAX_AUDIO_DAYS",
    "ApiKey",
    "AuditEvent",
    "Invitation",
    "InvitedMailbox",
    "Limited",
    "Membership",
    "Organization",
    "ServiceAccount",
    "User",
    "Visit",
    "every_scope",
]
