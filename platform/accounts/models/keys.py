"""API keys, and whose they are."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.identifiers import new_id
from accounts.models.limits import Limited
from accounts.models.organizations import Organization
from accounts.models.people import User


def every_scope() -> list[str]:
    """What a key may do unless it is said: everything but managing other keys. A migration names this function."""
    return [ApiKey.Scope.SPEECH, ApiKey.Scope.USAGE]


class ServiceAccount(models.Model):
    """Whatever speaks for an organization without being a person, such as a server. Its keys end with it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="service_accounts")
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["organization", "-id"], condition=models.Q(deleted_at=None), name="service_account_live"
            ),
        )

    def __str__(self) -> str:
        return self.name


class ApiKey(Limited):
    """A key of an organization: a public id for lookups, and a secret of which only an HMAC is stored."""

    class Scope(models.TextChoices):
        SPEECH = "speech", "Make speech and fetch its audio"
        USAGE = "usage", "Read usage and cost"
        ADMIN = "admin", "Create, limit and revoke API keys"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    public_id = models.CharField(max_length=16, unique=True)
    secret_hmac = models.BinaryField(max_length=32)
    pepper_number = models.PositiveSmallIntegerField()
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    scopes: ClassVar = ArrayField(
        models.CharField(max_length=16, choices=Scope), default=every_scope, db_default=["speech", "usage"]
    )
    """Its permissions. `gateway.authentication` enforces them, and `allowed_addresses`."""
    allowed_addresses: ClassVar = ArrayField(
        models.CharField(max_length=43), default=list, db_default=[], blank=True
    )
    """Networks that it works from, such as 203.0.113.0/24; empty for any."""
    stores_audio = models.BooleanField(default=True, db_default=True)
    """Whether the audio of its requests is kept once it has been delivered."""
    service_account = models.ForeignKey(
        ServiceAccount, on_delete=models.PROTECT, null=True, editable=False, related_name="keys"
    )
    """Whose key it is; None where it is the organization's itself. Deleting the account revokes the key."""
    playground_of = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    """The person whose playground uses it, for a few minutes. Only `accounts.playground` writes it."""

    class Meta(Limited.Meta):
        constraints = (
            *Limited.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(scopes__len__gt=0, scopes__contained_by=["speech", "usage", "admin"]),
                name="api_key_scopes_known",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at=None) | models.Q(expires_at__gt=models.F("created_at")),
                name="api_key_expires_after_creation",
            ),
            models.UniqueConstraint(fields=["organization", "playground_of"], name="playground_key_once_a_member"),
            models.CheckConstraint(
                condition=models.Q(playground_of=None) | models.Q(expires_at__isnull=False, scopes=["speech"]),
                name="playground_key_expires_and_only_speaks",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.shown})"

    @property
    def named(self) -> str:
        """The public part, which names the key on pages and in the API."""
        return f"sk-{self.public_id}"

    @property
    def shown(self) -> str:
        """What is shown after creation: enough to recognize the key, not enough to use it."""
        return f"{self.named}-…{self.last_four}"
