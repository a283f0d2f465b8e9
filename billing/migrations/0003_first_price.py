"""The price book's first row: Higgs Audio V2.5 at $0.045 per minute of audio."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0002_append_only_ledger")]
    operations: ClassVar = [
        migrations.RunSQL(
            """
            INSERT INTO billing_price (model, dollars_per_minute, valid_from)
            VALUES ('boson/higgs-audio-v2.5', 0.045, '2025-12-01 00:00:00+00')
            """,
            "DELETE FROM billing_price WHERE model = 'boson/higgs-audio-v2.5'",
        )
    ]
