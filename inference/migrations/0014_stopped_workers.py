"""A worker that is stopped hands its jobs over."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0013_held_frames")]
    operations: ClassVar = [
        migrations.RemoveConstraint(model_name="lostattempt", name="lost_attempt_cause_known"),
        migrations.AlterField(
            model_name="lostattempt",
            name="cause",
            field=models.CharField(
                max_length=16,
                choices=[
                    ("engine_error", "the engine failed"),
                    ("worker_lost", "the worker was lost"),
                    ("worker_stopped", "the worker was stopped"),
                    ("taken_back", "an operator took it back"),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="lostattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(cause__in=["engine_error", "worker_lost", "worker_stopped", "taken_back"]),
                name="lost_attempt_cause_known",
            ),
        ),
    ]
