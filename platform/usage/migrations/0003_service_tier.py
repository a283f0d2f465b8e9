"""The log says in which tier of service a request was spoken."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("usage", "0002_what_an_error_said")]
    operations: ClassVar = [
        migrations.AddField(
            "requestlog", "service_tier", models.CharField(blank=True, db_default="", max_length=8)
        ),
    ]
