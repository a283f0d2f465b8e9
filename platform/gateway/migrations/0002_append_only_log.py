"""The request log only grows, and whatever brings usage says which hours are to be summed up anew."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

from billing import partitions

ROLLUP_DUE = """
CREATE FUNCTION note_rollup_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO gateway_rollupdue (organization_id, hour)
    SELECT DISTINCT organization_id, date_trunc('hour', created_at, 'UTC') FROM inserted
    WHERE organization_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER rollup_due AFTER INSERT ON gateway_requestlog REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION note_rollup_due();
CREATE TRIGGER rollup_due AFTER INSERT ON billing_usagerecord REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION note_rollup_due();
"""


def make_partitions(apps: Any, schema_editor: Any) -> None:
    partitions.ensure_partitions("gateway_requestlog")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("gateway", "0001_initial"), ("billing", "0002_append_only_ledger")]
    operations: ClassVar = [
        migrations.RunSQL(
            """
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON gateway_requestlog
                FOR EACH ROW EXECUTE FUNCTION refuse_change()
            """,
            "DROP TRIGGER append_only ON gateway_requestlog",
        ),
        migrations.RunSQL(
            ROLLUP_DUE,
            """
            DROP TRIGGER rollup_due ON gateway_requestlog;
            DROP TRIGGER rollup_due ON billing_usagerecord;
            DROP FUNCTION note_rollup_due;
            """,
        ),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
    ]
