"""What was asked of /v1: the log, a row a call, and the rollups, which sum it and the usage records up.

The tables keep the names that they got when they were in the gateway's room.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from billing.models import dollars


class RequestLog(models.Model):
    """One call to /v1, refused ones included, with no text of the customer in it.

    Only inserted; all that a row may lose later is where it came from (`gateway.erasure`). `id`, a UUIDv7, is what
    the customer sees as `x-request-id`. The table is cut by month along it (see `billing.partitions`); what is old
    is dropped a month at a time. Organization, key and job are plain ids, so that the log outlives what it speaks
    of.
    """

    id = models.UUIDField(primary_key=True)
    created_at = models.DateTimeField(db_index=True)
    organization_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField(null=True)
    job_id = models.UUIDField(null=True)
    method = models.CharField(max_length=8)
    route = models.CharField(max_length=100)
    status = models.PositiveSmallIntegerField()
    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.CharField(max_length=500, blank=True, db_default="")
    """What the caller was told, without what it quoted of a longer text of theirs (see `usage.request_log`)."""
    error_param = models.CharField(max_length=100, blank=True, db_default="")
    model = models.CharField(max_length=100, blank=True)
    voice = models.CharField(max_length=100, blank=True)
    format = models.CharField(max_length=16, blank=True)
    characters = models.PositiveIntegerField(null=True)
    service_tier = models.CharField(max_length=8, blank=True, db_default="")
    samples = models.PositiveBigIntegerField(null=True)
    cost = dollars(null=True)
    relayed_samples = models.PositiveBigIntegerField(null=True)
    """Of the job's billed audio, what was handed to this call's connection as it was made."""
    queue_ms = models.PositiveIntegerField(null=True)
    first_audio_ms = models.PositiveIntegerField(null=True)
    synthesis_ms = models.PositiveIntegerField(null=True)
    total_ms = models.PositiveIntegerField()
    client_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "gateway_requestlog"
        indexes = (
            models.Index(fields=["organization_id", "-created_at"], name="request_log_of_organization"),
            models.Index(
                fields=["organization_id", "-created_at"],
                condition=models.Q(status__gte=400),
                name="request_log_errors",
            ),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.status}"


LATENCY_BASE = 1.1
"""Each bin of a latency histogram is so many times as wide as the one before it: a percentile is within 5 %. The
stored histograms are counted with it: whoever changes it counts them anew, while the log has all requests."""


class UsageRollup(models.Model):
    """An hour or a day of one key's requests for one model in one voice. `usage.rollups` is the only writer.

    Requests, errors and latency come from the request log by the moment they were asked, milliseconds and cost
    from the usage records by the moment they were billed. Latency is a histogram, since percentiles cannot be
    added up: `latency_counts[i]` answers took at least b^bin ms and less than b^(bin + 1), where b is
    `LATENCY_BASE` and bin is `latency_bins[i]`.
    """

    class Period(models.TextChoices):
        HOUR = "hour"
        DAY = "day"

    pk = models.CompositePrimaryKey("organization_id", "period", "start", "api_key_id", "model", "voice")
    organization_id = models.UUIDField()
    period = models.CharField(max_length=4, choices=Period)
    start = models.DateTimeField()
    api_key_id = models.UUIDField()
    model = models.CharField(max_length=100)
    voice = models.CharField(max_length=100)
    requests = models.PositiveBigIntegerField()
    errors = models.PositiveBigIntegerField()
    duration_ms = models.PositiveBigIntegerField()
    cost = dollars()
    latency_bins: ClassVar = ArrayField(models.PositiveSmallIntegerField())
    latency_counts: ClassVar = ArrayField(models.PositiveBigIntegerField())

    class Meta:
        db_table = "gateway_usagerollup"

    def __str__(self) -> str:
        return f"{self.period} {self.start:%Y-%m-%dT%H} {self.model} {self.voice}: {self.requests}, ${self.cost}"


class RollupDue(models.Model):
    """An hour of an organization that has new rows: noted by triggers in the transaction that brings them.

    So a row can be as late as it likes, and no clock decides whether its hour is looked at again.
    """

    organization_id = models.UUIDField()
    hour = models.DateTimeField()

    class Meta:
        db_table = "gateway_rollupdue"
        indexes = (models.Index(fields=["organization_id"], name="rollup_due_of_organization"),)

    def __str__(self) -> str:
        return f"{self.organization_id} {self.hour:%Y-%m-%dT%H}"
