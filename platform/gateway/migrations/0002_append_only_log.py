"""The request log only grows: no row is ever changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("gateway", "0001_initial"), ("billing", "0002_append_only_ledger")]
    operations: ClassVar = [
        migrations.RunSQL(
            """
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON gateway_requestlog
                FOR EACH ROW EXECUTE FUNCTION refuse_change()
            """,
            "DROP TRIGGER append_only ON gateway_requestlog",
        )
    ]
