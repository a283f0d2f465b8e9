"""Seals of closed months: append-only, and a sealed month's partitions take no new row."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_monthseal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_sealedsum
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON billing_monthseal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON billing_sealedsum
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# billing.sealing attaches it to the partitions of a month that it seals.
REFUSE_SEALED = """
CREATE FUNCTION refuse_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is sealed: it takes no new row', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0015_webhooks_have_a_room")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="MonthSeal",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("rows", models.BigIntegerField()),
                ("rows_digest", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("sealed_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SealedSum",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("organization_id", models.UUIDField(null=True)),
                ("budget_period_id", models.BigIntegerField(null=True)),
                ("account", models.CharField(max_length=24)),
                ("booked_in", models.DateField(null=True)),
                ("amount", models.DecimalField(decimal_places=9, max_digits=20)),
                (
                    "seal",
                    models.ForeignKey(
                        db_column="month",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sums",
                        to="billing.monthseal",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(account="budget", organization_id=None, budget_period_id__isnull=False)
                        | (~Q(account="budget") & Q(organization_id__isnull=False, budget_period_id=None)),
                        name="sealed_sum_has_one_subject",
                    ),
                    models.CheckConstraint(
                        condition=Q(account="usage", booked_in__isnull=False)
                        | (~Q(account="usage") & Q(booked_in=None)),
                        name="sealed_usage_has_its_month",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            APPEND_ONLY,
            """
            DROP TRIGGER append_only_whole ON billing_sealedsum;
            DROP TRIGGER append_only_whole ON billing_monthseal;
            DROP TRIGGER append_only ON billing_sealedsum;
            DROP TRIGGER append_only ON billing_monthseal;
            """,
        ),
        migrations.RunSQL(REFUSE_SEALED, "DROP FUNCTION refuse_sealed"),
    ]
