"""Whether a proof looked at all of history, and how long it took."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0012_promotional_claims")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="verification",
            name="whole",
            field=models.BooleanField(default=True, db_default=True),
        ),
        migrations.AddField(
            model_name="verification",
            name="took",
            field=models.DurationField(default=timedelta(0), db_default=timedelta(0)),
        ),
    ]
