"""A delivery carries its event: it no longer needs the alert that it tells of, and may tell of anything."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.functions.datetime
from django.db import migrations, models

# Of what was told before this migration. Amounts are decimal strings of nine places, as `billing.alerts.events` has it.
FILL = """
UPDATE billing_alertdelivery delivery SET
    source = 'alert:' || alert.id,
    occurred_at = alert.fired_at,
    kind = CASE alert.kind WHEN 'credit' THEN 'credit.below_threshold' ELSE 'budget.threshold_reached' END,
    summary = CASE
        WHEN alert.kind = 'credit' THEN 'Your credit is below $' || trim_scale(alert.amount)
        ELSE alert.percent || ' % of a budget is spent'
    END,
    data = CASE
        WHEN alert.kind = 'credit' THEN jsonb_build_object(
            'threshold', alert.amount::numeric(20, 9)::text, 'credit', alert.reached::numeric(20, 9)::text
        )
        ELSE jsonb_build_object(
            'threshold_percent', alert.percent,
            'spent', alert.reached::numeric(20, 9)::text,
            'budget', jsonb_build_object(
                'scope', CASE alert.key WHEN '' THEN 'organization' ELSE 'key' END,
                'key', nullif(alert.key, ''),
                'key_name', nullif(alert.key_name, ''),
                'period', alert.period,
                'start', CASE alert.period WHEN 'total' THEN NULL ELSE alert.start::text END,
                'amount', alert.amount::numeric(20, 9)::text
            )
        )
    END
FROM billing_alert alert WHERE alert.id = delivery.alert_id;
UPDATE billing_alertdelivery SET kind = 'webhook.test', summary = 'Test event', occurred_at = created_at
WHERE alert_id IS NULL;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("webhooks", "0001_initial"), ("billing", "0015_webhooks_have_a_room")]
    operations: ClassVar = [
        migrations.AddField("delivery", "kind", models.CharField(max_length=64, default="")),
        migrations.AddField("delivery", "data", models.JSONField(default=dict)),
        migrations.AddField(
            "delivery", "occurred_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())
        ),
        migrations.AddField("delivery", "summary", models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField("delivery", "source", models.CharField(blank=True, default="", max_length=100)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveConstraint("delivery", "alert_delivery_has_one_receiver"),
        migrations.RemoveConstraint("delivery", "alert_delivery_once_a_receiver"),
        migrations.RemoveConstraint("delivery", "alert_delivery_one_test_at_a_time"),
        migrations.RemoveField("delivery", "alert"),
        migrations.AlterField("delivery", "kind", models.CharField(max_length=64)),
        migrations.AlterField("delivery", "summary", models.CharField(blank=True, max_length=200)),
        migrations.AlterField("delivery", "source", models.CharField(blank=True, max_length=100)),
        migrations.AlterField(
            "delivery",
            "organization",
            models.ForeignKey(
                on_delete=models.deletion.PROTECT, related_name="deliveries", to="accounts.organization"
            ),
        ),
        migrations.AddConstraint(
            "delivery",
            models.CheckConstraint(
                condition=models.Q(endpoint__isnull=False, address="")
                | (models.Q(endpoint=None) & ~models.Q(address="")),
                name="delivery_has_one_receiver",
            ),
        ),
        migrations.AddConstraint(
            "delivery",
            models.UniqueConstraint(
                fields=["source", "endpoint", "address"],
                condition=~models.Q(source=""),
                nulls_distinct=False,
                name="delivery_once_a_receiver",
            ),
        ),
        migrations.AddConstraint(
            "delivery",
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=models.Q(source="", state="pending"),
                name="delivery_one_test_at_a_time",
            ),
        ),
    ]
