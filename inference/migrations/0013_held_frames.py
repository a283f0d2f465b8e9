"""How much of its audio a job's hold covers, where that is less than its cap. Jobs of before the upgrade hold all."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0012_worker_leases")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="synthesisjob", name="held_frames", field=models.PositiveIntegerField(null=True)
        ),
    ]
