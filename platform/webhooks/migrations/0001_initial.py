"""Endpoints, their secrets and the outbox, whose tables `billing` has made: they change their room, not their names."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("accounts", "0010_alert_acts"),
        ("billing", "0013_recent_proofs"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="WebhookEndpoint",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=accounts.identifiers.new_id,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("url", models.CharField(max_length=500)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("failing_since", models.DateTimeField(null=True)),
                        (
                            "organization",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="webhook_endpoints",
                                to="accounts.organization",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "billing_webhookendpoint",
                        "constraints": [
                            models.UniqueConstraint(fields=("organization", "url"), name="webhook_endpoint_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookSecret",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("salt", models.BinaryField(max_length=32)),
                        ("pepper_number", models.PositiveSmallIntegerField()),
                        ("ends_at", models.DateTimeField(null=True)),
                        (
                            "endpoint",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="secrets",
                                to="webhooks.webhookendpoint",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "billing_webhooksecret",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("ends_at", None)),
                                fields=("endpoint",),
                                name="webhook_secret_one_is_current",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Delivery",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=accounts.identifiers.new_id,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("address", models.EmailField(blank=True, max_length=254)),
                        (
                            "state",
                            models.CharField(
                                choices=[("pending", "Pending"), ("delivered", "Delivered"), ("dead", "Dead")],
                                default="pending",
                                max_length=9,
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        (
                            "next_try_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                        ),
                        ("error", models.CharField(blank=True, max_length=100)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "alert",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deliveries",
                                to="billing.alert",
                            ),
                        ),
                        (
                            "organization",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="alert_deliveries",
                                to="accounts.organization",
                            ),
                        ),
                        (
                            "endpoint",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deliveries",
                                to="webhooks.webhookendpoint",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "billing_alertdelivery",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("address", ""), ("endpoint__isnull", False)),
                                    models.Q(
                                        ("alert__isnull", False),
                                        ("endpoint", None),
                                        models.Q(("address", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="alert_delivery_has_one_receiver",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("alert__isnull", False)),
                                fields=("alert", "endpoint", "address"),
                                name="alert_delivery_once_a_receiver",
                                nulls_distinct=False,
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("alert", None), ("state", "pending")),
                                fields=("endpoint",),
                                name="alert_delivery_one_test_at_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at", None), ("state", "pending")),
                                    models.Q(("ended_at__isnull", False), ("state__in", ["delivered", "dead"])),
                                    _connector="OR",
                                ),
                                name="alert_delivery_ends_once",
                            ),
                        ],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "pending")),
                                fields=["next_try_at"],
                                name="alert_delivery_due",
                            ),
                            models.Index(fields=["organization", "-created_at"], name="alert_delivery_of_one"),
                            models.Index(
                                condition=models.Q(("state", "pending"), _negated=True),
                                fields=["ended_at"],
                                name="alert_delivery_ended",
                            ),
                        ],
                    },
                ),
            ]
        ),
        # What is noted of a table by its kind goes with it.
        migrations.RunSQL(
            "UPDATE django_content_type SET app_label = 'webhooks', "
            "model = CASE model WHEN 'alertdelivery' THEN 'delivery' ELSE model END WHERE app_label = 'billing' "
            "AND model IN ('alertdelivery', 'webhookendpoint', 'webhooksecret')",
            migrations.RunSQL.noop,
        ),
    ]
