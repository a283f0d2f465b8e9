"""The request log: a row for every call to /v1, refused ones included, with no text of the customer in it."""

from __future__ import annotations

from django.db import models

from billing.models import dollars


class RequestLog(models.Model):
    """One call. Only inserted, never changed; `id` is what the customer sees as `x-request-id`.

    Organization, key and job are plain ids, so that the log outlives what it speaks of.
    """

    id = models.UUIDField(primary_key=True)
    created_at = models.DateTimeField(db_index=True)
    organization_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    job_id = models.UUIDField(null=True)
    method = models.CharField(max_length=8)
    route = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    error_code = models.CharField(max_length=64, blank=True)
    model = models.CharField(max_length=100, blank=True)
    voice = models.CharField(max_length=100, blank=True)
    format = models.CharField(max_length=16, blank=True)
    characters = models.PositiveIntegerField(null=True)
    samples = models.PositiveBigIntegerField(null=True)
    cost = dollars(null=True)
    queue_ms = models.PositiveIntegerField(null=True)
    first_audio_ms = models.PositiveIntegerField(null=True)
    synthesis_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField()
    client_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (models.Index(fields=["organization_id", "-created_at"], name="request_log_of_organization"),)

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.status}"
