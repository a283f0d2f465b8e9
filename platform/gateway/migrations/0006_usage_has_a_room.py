"""The log and the roll-ups are in `usage` now; their tables stay as they are."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("gateway", "0005_relayed_samples"), ("usage", "0001_initial")]
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("RequestLog"),
                migrations.DeleteModel("RollupDue"),
                migrations.DeleteModel("UsageRollup"),
            ]
        )
    ]
