"""Voices that customers bring."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Organization


class VoiceConsent(models.Model):
    """A speaker's recorded consent to a clone of their voice. `inference.custom_voices` is the only writer."""

    id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=35)
    text = models.TextField()
    """The phrase that the speaker was asked to read."""
    recording = models.BinaryField()
    """FLAC, mono, 24 kHz. In the database, so that one transaction deletes all that is known of a voice."""
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"consent {self.id}"


class CustomVoice(models.Model):
    """A voice that belongs to an organization. `inference.custom_voices` is the only writer."""

    id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    consent = models.ForeignKey(VoiceConsent, on_delete=models.CASCADE, related_name="voices")
    """A voice does not outlive the consent to it."""
    name = models.CharField(max_length=200)
    sample = models.BinaryField()
    """FLAC, mono, 24 kHz."""
    transcript = models.TextField(blank=True)
    """What is said in the sample; "" where the customer did not tell."""
    codes = models.BinaryField(null=True)
    """The sample as an engine needs it, in NumPy's format; null until a worker has encoded it."""
    codec = models.CharField(max_length=16, blank=True, db_default="")
    """The codec whose codes they are."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(codes=None, codec="") | Q(codes__isnull=False) & ~Q(codec=""),
                name="custom_voice_codes_have_a_codec",
            ),
        )

    def __str__(self) -> str:
        return f"voice {self.id}"
