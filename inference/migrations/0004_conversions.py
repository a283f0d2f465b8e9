"""Converted copies are kept beside their original."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0003_lost_attempts")]
    operations: ClassVar = [
        migrations.AddField("audioasset", "conversions", models.JSONField(db_default={})),
        # A hash without a key says whether a known text was sent; none that is needed is older than its audio.
        migrations.RunSQL(
            "UPDATE inference_synthesisjob SET fingerprint = NULL WHERE fingerprint IS NOT NULL",
            migrations.RunSQL.noop,
        ),
    ]
