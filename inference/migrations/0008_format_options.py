"""A format may have options: opus;rate=16000;container=webm. To widen a varchar rewrites nothing."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0007_indexes_of_live_work")]
    operations: ClassVar = [
        migrations.AlterField(model_name="synthesisjob", name="format", field=models.CharField(max_length=100)),
    ]
