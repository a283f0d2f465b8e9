"""A job, from admission to its end, and who speaks it."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import ApiKey, Organization


class Worker(models.Model):
    """A worker process and its lease, which covers every job that it speaks. `inference.jobs` is the only writer.

    The worker renews the row once a second. Once the lease has lapsed, any other worker takes its jobs back; the
    row goes a while later.
    """

    id = models.UUIDField(primary_key=True)
    """Drawn anew by each process, so that a restarted worker never inherits the jobs of the one before."""
    name = models.CharField(max_length=300)
    lease_expires_at = models.DateTimeField()
    published: ClassVar = models.JSONField(db_default={})
    """The samples that it has published of each job that it speaks, {"<job id>": samples}. Kept here rather than
    in the job, so that a second of progress rewrites one narrow row for a worker and no text."""

    def __str__(self) -> str:
        return self.name


class SynthesisJob(models.Model):
    """One text to speak, from admission to its end. `inference.jobs` is the only writer.

    queued -> running -> succeeded | failed | cancelled | expired; its worker's lapsed lease puts running back to
    queued.
    The text is kept only as long as the job needs it: an ended job has none, and the database says so.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"
        EXPIRED = "expired"

    class ServiceTier(models.TextChoices):
        PRIORITY = "priority"
        DEFAULT = "default"
        FLEX = "flex"

    id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, db_default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(db_default=0)
    """How often the job was claimed: the worker's fencing token."""
    worker_id = models.UUIDField(null=True)
    """The `Worker` that speaks it, or was the last to. No foreign key: ended jobs outlive their workers' rows."""
    service_tier = models.CharField(max_length=8, choices=ServiceTier, db_default=ServiceTier.DEFAULT)
    """How much of the workers an organization's job may claim; see `inference.jobs.claiming`."""

    model = models.CharField(max_length=100)
    voice = models.CharField(max_length=100)
    format = models.CharField(max_length=100)
    """With its options, as `inference.speech.formats.AudioFormat` writes it."""
    text = models.TextField(blank=True)
    style = models.TextField(blank=True)
    voices: ClassVar = models.JSONField(db_default={})
    """Of a dialogue: who speaks as whom, {"SPEAKER0": "alloy"}."""
    speed = models.FloatField(db_default=1.0)
    """How many times as fast as the engine speaks."""
    timestamps = models.CharField(max_length=8, blank=True, db_default="")
    """"word" or "sentence" where it is to be told when each is spoken."""
    pronunciation = models.UUIDField(null=True)
    """The `PronunciationVersion`; not a foreign key, since a deleted dictionary holds up no job."""
    context: ClassVar = ArrayField(models.UUIDField(), db_default=[])
    """The jobs that spoke the conversation's earlier turns, oldest first."""
    recordings: ClassVar = ArrayField(models.BinaryField(), db_default=[])
    """Recordings that came with the request, as FLAC: number n is how `speech.voices.recorded_name(n)` sounds."""
    recorded_texts: ClassVar = ArrayField(models.TextField(), db_default=[])
    """What is said in each recording; "" where the request does not tell."""
    sampling = models.JSONField()
    """temperature, top_p, top_k, seed; whatever of them the request named."""
    max_frames = models.PositiveIntegerField()
    held_frames = models.PositiveIntegerField(null=True)
    """How many frames of it its hold covers so far; null where that is all of `max_frames`."""

    listeners = models.PositiveSmallIntegerField(db_default=1)
    """Requests that wait for it: a repeated one joins the job that is there. When the last one leaves, it ends."""
    cancel_requested_at = models.DateTimeField(null=True)
    """Nobody wants it any more; its worker is told so, and ends it at its next heartbeat at the latest."""
    streamed = models.BooleanField(db_default=False)
    """Its audio leaves as it is made (see `inference.delivery`)."""
    published_samples = models.PositiveBigIntegerField(db_default=0)
    relayed_samples = models.PositiveBigIntegerField(null=True)
    idempotency_key = models.CharField(max_length=255, blank=True, db_default="")
    fingerprint = models.UUIDField(null=True)
    """A keyed hash of the request, by which a repetition is known; it goes with the audio."""

    kept_seconds = models.PositiveIntegerField(db_default=86_400)
    """How long its audio, codes and transcript are kept from the end on."""
    created_at = models.DateTimeField()
    enqueued_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    engine_model = models.CharField(max_length=200, blank=True, db_default="")
    finish_reason = models.CharField(max_length=8, blank=True, db_default="")
    error_code = models.CharField(max_length=64, blank=True, db_default="")
    prompt_tokens = models.PositiveIntegerField(db_default=0)
    samples = models.PositiveBigIntegerField(db_default=0)
    """What is billed: of a job that succeeded the longer of what was generated and its audio, of any other what
    was delivered."""
    receipt = models.JSONField(db_default={})
    """What the settlement said of a job that did not succeed; one that did has it in its asset."""
    first_audio_ms = models.PositiveIntegerField(null=True)
    """From the claim to the engine's first chunk."""
    synthesis_ms = models.PositiveIntegerField(null=True)
    """From the claim to the end of the encoding."""
    encode_ms = models.PositiveIntegerField(null=True)
    """What of it the encoder took."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="job_once_per_idempotency_key",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"]) | Q(text="", style="", finished_at__isnull=False),
                name="job_ended_keeps_no_text",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"]) | Q(recordings=[], recorded_texts=[]),
                name="job_ended_keeps_no_recording",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(worker_id__isnull=False), name="job_running_has_worker"
            ),
            models.CheckConstraint(
                condition=Q(service_tier__in=["priority", "default", "flex"]), name="job_service_tier_known"
            ),
            models.CheckConstraint(
                condition=Q(state="succeeded") | Q(streamed=True) | Q(samples=0),
                name="job_bills_what_was_delivered",
            ),
        )
        indexes = (
            models.Index(fields=["enqueued_at"], condition=Q(state="queued"), name="job_queued"),
            models.Index(fields=["worker_id"], condition=Q(state="running"), name="job_of_worker"),
            models.Index(
                fields=["state", "organization", "service_tier", "created_at"],
                condition=Q(state__in=["queued", "running"]),
                name="job_lane",
            ),
            models.Index(
                fields=["organization", "started_at"], condition=Q(started_at__isnull=False), name="job_served"
            ),
            models.Index(fields=["deadline_at"], condition=Q(state__in=["queued", "running"]), name="job_overdue"),
            models.Index(
                fields=["fingerprint", "finished_at"],
                condition=Q(fingerprint__isnull=False),
                name="job_of_fingerprint_ended",
            ),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.state}, attempt {self.attempt}"


class LostAttempt(models.Model):
    """An attempt at a job that came to nothing, and was followed by another. Written by `inference.jobs` alone."""

    class Cause(models.TextChoices):
        ENGINE_ERROR = "engine_error", "the engine failed"
        WORKER_LOST = "worker_lost", "the worker was lost"
        WORKER_STOPPED = "worker_stopped", "the worker was stopped"
        TAKEN_BACK = "taken_back", "an operator took it back"

    job = models.ForeignKey(SynthesisJob, on_delete=models.CASCADE, related_name="lost_attempts")
    attempt = models.PositiveSmallIntegerField()
    cause = models.CharField(max_length=16, choices=Cause)
    started_at = models.DateTimeField()
    lost_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["job", "attempt"], name="attempt_lost_once"),
            models.CheckConstraint(
                condition=Q(cause__in=["engine_error", "worker_lost", "worker_stopped", "taken_back"]),
                name="lost_attempt_cause_known",
            ),
        )

    def __str__(self) -> str:
        return f"attempt {self.attempt} at {self.job_id}: {self.cause}"
