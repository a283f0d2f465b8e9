"""Indexes that hold live work alone, made beside running requests: the tables may be large by now."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [
        ("accounts", "0022_limits_of_people_and_letters"),
        ("inference", "0006_fair_claim"),
    ]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="synthesisjob",
            index=models.Index(
                fields=["deadline_at"], condition=Q(state__in=["queued", "running"]), name="job_overdue"
            ),
        ),
        AddIndexConcurrently(
            model_name="synthesisjob",
            index=models.Index(
                fields=["fingerprint", "finished_at"],
                condition=Q(fingerprint__isnull=False),
                name="job_of_fingerprint_ended",
            ),
        ),
        RemoveIndexConcurrently(model_name="synthesisjob", name="job_of_fingerprint"),
        AddIndexConcurrently(
            model_name="audioasset",
            index=models.Index(
                fields=["organization", "-created_at"], condition=Q(purged_at=None), name="asset_kept_of_one"
            ),
        ),
        migrations.AlterField(
            model_name="audioasset",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
                db_index=False,
            ),
        ),
    ]
