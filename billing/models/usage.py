"""What was generated, as it is billed."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization
from billing.models.money import dollars

SAMPLES_PER_MS = 24
SAMPLES_PER_FRAME = 960
"""Of billed audio. `billing` may not import `inference.audio`; a test holds the two equal."""


class UsageRecord(models.Model):
    """What a finished job is billed: one row a job, from the samples that the platform counted itself.

    `cost` = `duration_ms` x `dollars_per_minute` / 60,000, so that any bill can be derived again by hand; the
    database refuses a row that says otherwise.

    The table is cut by month along `job_id` (see `billing.partitions`). A job's id is a UUIDv7, made once at its
    admission, so that all that could ever be written for one job falls into one partition, and the primary key
    there keeps the job to one record in the whole table. A job admitted in a month's last second lies in that
    month's partition, whenever it ended.
    """

    job_id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    api_key_id = models.UUIDField()
    model = models.CharField(max_length=100)
    voice = models.CharField(max_length=100)
    samples = models.BigIntegerField()
    duration_ms = models.BigIntegerField()
    dollars_per_minute = dollars()
    cost = dollars()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(samples=F("duration_ms") * SAMPLES_PER_MS, duration_ms__gte=0),
                name="usage_whole_milliseconds",
            ),
            models.CheckConstraint(condition=Q(cost__gte=0), name="usage_cost_not_negative"),
        )
        indexes = (models.Index(fields=["organization", "created_at"], name="usage_of_organization"),)

    def __str__(self) -> str:
        return f"{self.job_id}: {self.duration_ms} ms, ${self.cost}"
