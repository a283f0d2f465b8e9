"""The hold of a job that is being spoken can be raised: see billing/raise_hold.sql."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from billing import reservations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0017_service_tier_prices")]
    operations: ClassVar = [
        migrations.RunSQL(reservations.RAISE_FUNCTION, "DROP FUNCTION billing_raise_hold(uuid, bigint)"),
    ]
