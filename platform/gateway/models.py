"""What the gateway keeps of its own: uploaded files, batches and their lines, and requests in the background."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts import limits
from accounts.identifiers import new_id
from accounts.models import ApiKey, Organization


class File(models.Model):
    """A file that a customer uploaded, or that a batch wrote for them. The row stays, the bytes go."""

    class Purpose(models.TextChoices):
        BATCH = "batch"
        BATCH_OUTPUT = "batch_output"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    purpose = models.CharField(max_length=12, choices=Purpose)
    filename = models.CharField(max_length=255)
    path = models.CharField(max_length=200)
    """Its name in the file store."""
    bytes = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["organization", "id"], condition=Q(deleted_at=None), name="file_kept_of_one"),
            models.Index(fields=["expires_at"], condition=Q(deleted_at=None), name="file_to_purge"),
        )

    def __str__(self) -> str:
        return f"file {self.id}, {self.bytes} bytes"


class SpeechBatch(models.Model):
    """Many requests in one file, spoken at half price when workers have time for them.

    validating -> failed | in_progress -> finalizing -> completed | expired; cancelling -> cancelled.
    `gateway.batches.advance` is the only writer, except for `cancelling_at`, which the customer sets.
    """

    class State(models.TextChoices):
        VALIDATING = "validating"
        FAILED = "failed"
        IN_PROGRESS = "in_progress"
        FINALIZING = "finalizing"
        COMPLETED = "completed"
        EXPIRED = "expired"
        CANCELLING = "cancelling"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=11, choices=State, default=State.VALIDATING)
    endpoint = models.CharField(max_length=32)
    metadata: ClassVar = models.JSONField(null=True)
    input_file = models.ForeignKey(File, on_delete=models.PROTECT, related_name="batches")
    output_file = models.ForeignKey(File, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    error_file = models.ForeignKey(File, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    errors: ClassVar = models.JSONField(default=list)
    """What is wrong with the input file: {code, line, message, param} each."""
    paused: ClassVar = models.JSONField(null=True)
    """Why no line is admitted now, {code, message}: for example, the credit is used up."""
    paused_until = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    in_progress_at = models.DateTimeField(null=True)
    finalizing_at = models.DateTimeField(null=True)
    cancelling_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["failed", "completed", "expired", "cancelled"], ended_at__isnull=False)
                | Q(state__in=["validating", "in_progress", "finalizing", "cancelling"], ended_at=None),
                name="batch_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(completed__lte=F("total") - F("failed")), name="batch_counts_each_line_once"
            ),
        )
        indexes = (
            models.Index(fields=["organization", "-id"], name="batch_of_organization"),
            models.Index(fields=["id"], condition=Q(ended_at=None), name="batch_active"),
        )

    def __str__(self) -> str:
        return f"batch {self.id} {self.state}"

    @property
    def most_characters(self) -> int:
        """The longest text that a line may have."""
        return limits.input_characters(key=limits.of(self.api_key), organization=limits.of(self.organization))


class BatchLine(models.Model):
    """One request of a batch: where it stands in the input file, and the job that speaks it.

    The text stays in the file. `job_id` is written before the job is, so that a part that dies in between
    admits the same job again, never a second one.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    batch = models.ForeignKey(SpeechBatch, on_delete=models.CASCADE, related_name="lines", db_index=False)
    number = models.PositiveIntegerField()
    """Its line in the file, from 1."""
    offset = models.PositiveBigIntegerField()
    length = models.PositiveIntegerField()
    custom_id = models.CharField(max_length=512)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    job_id = models.UUIDField(null=True)
    stored = models.BooleanField(default=True, db_default=True)
    """Whether its audio is kept as long as the batch's results are; otherwise it goes when it has been fetched."""
    attempt = models.PositiveSmallIntegerField(default=0)
    """How many jobs it has had: one that missed its deadline is followed by another."""
    error: ClassVar = models.JSONField(null=True)
    """{status, code, message, param, type} of a line that failed."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["batch", "number"], name="batch_line_once"),
            models.UniqueConstraint(
                fields=["job_id"], condition=Q(job_id__isnull=False), name="batch_line_job_once"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["running", "succeeded"]) | Q(job_id__isnull=False),
                name="batch_line_spoken_by_a_job",
            ),
        )
        indexes = (
            models.Index(fields=["batch", "number"], condition=Q(state="waiting"), name="batch_line_waiting"),
            models.Index(fields=["batch"], condition=Q(state="running"), name="batch_line_running"),
        )

    def __str__(self) -> str:
        return f"line {self.number} of {self.batch_id}: {self.state}"


class BackgroundRequest(models.Model):
    """A request that was answered with 202, and whose job is asked for later.

    `notified_at` is when its end was told to the organization's webhooks; until then it counts as under way.
    """

    job_id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=[("audio.speech", "speech"), ("chat.completion", "chat")])
    created_at = models.DateTimeField(db_default=Now())
    notified_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["organization"], condition=Q(notified_at=None), name="background_under_way"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.job_id}"
