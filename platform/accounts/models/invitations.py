"""Who was invited to an organization."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from accounts.identifiers import new_id
from accounts.models.organizations import Membership, Organization
from accounts.models.people import User


class Invitation(models.Model):
    """An e-mail address that was invited. Only the SHA-256 of the token in the e-mail's link is stored.

    open -> accepted | withdrawn; an open one is void from `expires_at` on.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=16, choices=Membership.Role)
    token_hash = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                "organization",
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["admin", "developer", "billing", "viewer"]),
                name="invitation_role_known_and_not_owner",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(withdrawn_at=None), name="invitation_ends_once"
            ),
        )
        indexes = (models.Index(fields=["organization", "created_at"], name="invitation_of_day"),)

    def __str__(self) -> str:
        return f"{self.email} to {self.organization_id} as {self.role}"


class InvitedMailbox(models.Model):
    """When a mailbox last got an invitation, from any organization (see `accounts.invitations`)."""

    mailbox = models.BinaryField(max_length=32, primary_key=True)
    """A keyed hash (`accounts.mailboxes`)."""
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sent_at:%Y-%m-%d %H:%M}"
