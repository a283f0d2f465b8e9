"""Organizations, which own everything, and who belongs to them as what."""

from __future__ import annotations

from django.db import models

from accounts.identifiers import new_id
from accounts.models.limits import Limited
from accounts.models.people import User

MAX_AUDIO_DAYS = 30


class Organization(Limited):
    """The customer, who owns keys, jobs, audio and money."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    max_voices = models.PositiveIntegerField(null=True, blank=True)
    """How many voices of its own it can have; null is the default in the settings."""
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    """From then on it has no members and no name. The ledger still refers to the row (`gateway.erasure`)."""
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")
    audio_days = models.PositiveSmallIntegerField(null=True, blank=True)
    """How long its audio is kept: 0 for not at all, None for as long as the operator keeps everybody's."""

    class Meta(Limited.Meta):
        constraints = (
            *Limited.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(audio_days=None) | models.Q(audio_days__lte=MAX_AUDIO_DAYS),
                name="organization_audio_days_in_range",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        DEVELOPER = "developer"
        BILLING = "billing"
        VIEWER = "viewer"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.DEVELOPER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once"),
            # A trigger of migration 0004 ensures that there is one.
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(role="owner"), name="organization_has_one_owner"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "admin", "developer", "billing", "viewer"]),
                name="membership_role_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.organization} as {self.role}"
