"""What people did in an organization, and when an operator looked."""

from __future__ import annotations

from django.db import models

from accounts.identifiers import new_id
from accounts.models.organizations import Organization
from accounts.models.people import User


class AuditEvent(models.Model):
    """An action of a person in an organization. A trigger makes the table append-only; names can be erased.

    Organization and actor are plain values, so that the log outlives what it speaks of.
    """

    class Action(models.TextChoices):
        ORGANIZATION_CREATED = "organization.created", "created the organization"
        ORGANIZATION_RENAMED = "organization.renamed", "renamed the organization"
        ORGANIZATION_RETENTION_SET = "organization.retention_set", "set how long audio is kept by"
        ORGANIZATION_TRANSFERRED = "organization.transferred", "handed the organization over to"
        MEMBER_INVITED = "member.invited", "invited"
        INVITATION_WITHDRAWN = "invitation.withdrawn", "withdrew the invitation of"
        MEMBER_JOINED = "member.joined", "joined"
        MEMBER_ROLE_CHANGED = "member.role_changed", "changed the role of"
        MEMBER_REMOVED = "member.removed", "removed"
        MEMBER_LEFT = "member.left", "left"
        KEY_CREATED = "key.created", "created the key"
        KEY_CHANGED = "key.changed", "changed the key"
        KEY_ROTATED = "key.rotated", "rotated the key"
        KEY_REVOKED = "key.revoked", "revoked the key"
        SERVICE_ACCOUNT_CREATED = "service_account.created", "created the service account"
        SERVICE_ACCOUNT_DELETED = "service_account.deleted", "deleted the service account"
        BUDGET_SET = "budget.set", "set the budget of"
        BUDGET_LIFTED = "budget.lifted", "lifted the budget of"
        ALERTS_SET = "alerts.set", "set what the organization is told of"
        WEBHOOK_ADDED = "webhook.added", "added the webhook to"
        WEBHOOK_CHANGED = "webhook.changed", "chose the events of the webhook to"
        WEBHOOK_ROTATED = "webhook.rotated", "replaced the secret of the webhook to"
        WEBHOOK_REMOVED = "webhook.removed", "removed the webhook to"
        CONSENT_CREATED = "consent.created", "recorded the consent"
        CONSENT_RENAMED = "consent.renamed", "renamed the consent"
        CONSENT_DELETED = "consent.deleted", "deleted the consent"
        VOICE_CREATED = "voice.created", "created the voice"
        VOICE_RENAMED = "voice.renamed", "renamed the voice"
        VOICE_DELETED = "voice.deleted", "deleted the voice"
        ORGANIZATION_EXPORTED = "organization.exported", "downloaded everything that is kept of the organization"
        MEMBER_EXPORTED = "member.exported", "downloaded what is kept of their own account"
        ORGANIZATION_DELETED = "organization.deleted", "deleted the organization"
        MEMBER_DELETED = "member.deleted", "deleted the account of a member"
        SUPPORT_VISITED = "support.visited", "looked at the console as support"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization_id = models.UUIDField()
    actor_id = models.BigIntegerField()
    actor = models.CharField(max_length=254)
    """The e-mail address as it was then."""
    address = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=32, choices=Action)
    subject = models.CharField(max_length=254, blank=True)
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["organization_id", "-id"], name="audit_of_organization"),)

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.subject}"


class Visit(models.Model):
    """An operator views a customer's console. Only `accounts.visits` writes here.

    Over when ended or expired. What the customer reads of it stands in the audit log.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="visits")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="visits")
    reason = models.CharField(max_length=500)
    began_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["operator"], condition=models.Q(ended_at=None), name="visit_open_once_an_operator"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="visit_has_a_reason"),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("began_at")), name="visit_expires_after_it_began"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | models.Q(ended_at__lte=models.F("expires_at")),
                name="visit_ends_before_it_expires",
            ),
        )

    def __str__(self) -> str:
        return f"{self.operator} at {self.organization_id}"
