"""The tiers of service have prices: each row of the price book gets one for each tier."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from billing import pricing


def publish(apps: object, schema_editor: object) -> None:
    pricing.publish_tiers()


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0016_month_seals")]
    operations: ClassVar = [migrations.RunPython(publish, migrations.RunPython.noop)]
