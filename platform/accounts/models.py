"""People, organizations and keys. An organization owns everything; people are members; keys act for it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from accounts.identifiers import new_id
from accounts.limits import MAX_INPUT_CHARACTERS


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a person. Without a password the account cannot sign in until one is set."""
        if not email:
            raise ValueError("email: an address is needed")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractUser):
    """A person, identified by the e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    max_organizations = models.PositiveIntegerField(null=True, blank=True)
    """How many organizations the person can own; null is the default in the settings."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()  # type: ignore[assignment,misc]

    class Meta(AbstractUser.Meta):
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_unique_ignoring_case"),)


MAX_AUDIO_DAYS = 30


class Limited(models.Model):
    """Limits; null is the default in the settings. `gateway.limits.limiter` enforces the rates."""

    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    audio_seconds_per_minute = models.PositiveIntegerField(null=True, blank=True)
    concurrent_jobs = models.PositiveIntegerField(null=True, blank=True)
    input_characters = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints: ClassVar[Any] = (
            models.CheckConstraint(
                condition=models.Q(requests_per_minute=None) | models.Q(requests_per_minute__gte=1),
                name="%(class)s_requests_per_minute_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(audio_seconds_per_minute=None) | models.Q(audio_seconds_per_minute__gte=1),
                name="%(class)s_audio_per_minute_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(concurrent_jobs=None) | models.Q(concurrent_jobs__gte=1),
                name="%(class)s_concurrent_jobs_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(input_characters=None)
                | models.Q(input_characters__gte=1, input_characters__lte=MAX_INPUT_CHARACTERS),
                name="%(class)s_input_characters_in_range",
            ),
        )


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
