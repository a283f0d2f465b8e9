"""Repeated requests are found and joined by a function, for many in one statement."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from inference import repeats


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0007_indexes_of_live_work")]
    operations: ClassVar = [
        migrations.RunSQL(
            repeats.FUNCTION,
            "DROP FUNCTION inference_join_repeats; DROP FUNCTION inference_repeat_lock;",
        ),
    ]
