"""One lease a worker in place of one a job, and service tiers. Large tables are changed beside running requests."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.models import Q

# Jobs that run during the upgrade belong to a worker that is gone: the first sweep puts them back.
GIVE_RUNNING_JOBS_A_LAPSED_WORKER = """
INSERT INTO inference_worker (id, name, lease_expires_at)
SELECT '00000000-0000-0000-0000-000000000001', 'before the upgrade', now()
WHERE EXISTS (SELECT FROM inference_synthesisjob WHERE state = 'running')
ON CONFLICT (id) DO NOTHING;
UPDATE inference_synthesisjob SET worker_id = '00000000-0000-0000-0000-000000000001' WHERE state = 'running';
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("inference", "0011_formats_times_and_pronunciations")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=300)),
                ("lease_expires_at", models.DateTimeField()),
                ("published", models.JSONField(db_default={})),
            ],
        ),
        migrations.AddField("synthesisjob", "worker_id", models.UUIDField(null=True)),
        migrations.AddField(
            "synthesisjob",
            "service_tier",
            models.CharField(
                max_length=8,
                choices=[("priority", "Priority"), ("default", "Default"), ("flex", "Flex")],
                db_default="default",
            ),
        ),
        migrations.RunSQL(GIVE_RUNNING_JOBS_A_LAPSED_WORKER, migrations.RunSQL.noop),
        migrations.RemoveConstraint("synthesisjob", "job_running_has_lease"),
        AddConstraintNotValid(
            "synthesisjob",
            models.CheckConstraint(
                condition=~Q(state="running") | Q(worker_id__isnull=False), name="job_running_has_worker"
            ),
        ),
        ValidateConstraint("synthesisjob", "job_running_has_worker"),
        AddConstraintNotValid(
            "synthesisjob",
            models.CheckConstraint(
                condition=Q(service_tier__in=["priority", "default", "flex"]), name="job_service_tier_known"
            ),
        ),
        ValidateConstraint("synthesisjob", "job_service_tier_known"),
        AddIndexConcurrently(
            "synthesisjob",
            models.Index(fields=["worker_id"], condition=Q(state="running"), name="job_of_worker"),
        ),
        AddIndexConcurrently(
            "synthesisjob",
            models.Index(
                fields=["state", "organization", "service_tier", "created_at"],
                condition=Q(state__in=["queued", "running"]),
                name="job_lane",
            ),
        ),
        RemoveIndexConcurrently("synthesisjob", "job_running"),
        RemoveIndexConcurrently("synthesisjob", "job_share"),
        migrations.RemoveField("synthesisjob", "lease_expires_at"),
    ]
