"""The audio that a job leaves."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from inference.models.jobs import SynthesisJob


class AudioAsset(models.Model):
    """The encoded audio of a job in the audio store, until `expires_at`. The row stays, the bytes go."""

    job = models.OneToOneField(SynthesisJob, on_delete=models.CASCADE, primary_key=True, related_name="asset")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    path = models.CharField(max_length=200)
    codes_path = models.CharField(max_length=200, blank=True, db_default="")
    """The codec's codes of the same audio, from which a later turn of the conversation goes on; some engines have
    none."""
    conversions: ClassVar = models.JSONField(db_default={})
    """Converted copies that were made on request, {format: path}, and when each word is spoken, {"times": path}.
    They go with the original."""
    content_type = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    samples = models.PositiveBigIntegerField()
    transcript = models.TextField(blank=True)
    receipt = models.JSONField()
    """What the settlement said, for the answer; opaque here."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    purged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(purged_at=None) | Q(transcript=""), name="asset_purged_keeps_no_transcript"
            ),
        )
        indexes = (
            models.Index(fields=["expires_at"], condition=Q(purged_at=None), name="asset_to_purge"),
            models.Index(
                fields=["organization", "-created_at"], condition=Q(purged_at=None), name="asset_kept_of_one"
            ),
        )

    def __str__(self) -> str:
        return f"audio of {self.job_id}"
