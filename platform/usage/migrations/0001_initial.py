"""The log and the roll-ups, whose tables the gateway has made: they change their room, not their names."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("gateway", "0005_relayed_samples"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="UsageRollup",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organization_id",
                                "period",
                                "start",
                                "api_key_id",
                                "model",
                                "voice",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("organization_id", models.UUIDField()),
                        ("period", models.CharField(choices=[("hour", "Hour"), ("day", "Day")], max_length=4)),
                        ("start", models.DateTimeField()),
                        ("api_key_id", models.UUIDField()),
                        ("model", models.CharField(max_length=100)),
                        ("voice", models.CharField(max_length=100)),
                        ("requests", models.PositiveBigIntegerField()),
                        ("errors", models.PositiveBigIntegerField()),
                        ("duration_ms", models.PositiveBigIntegerField()),
                        ("cost", models.DecimalField(decimal_places=9, max_digits=20)),
                        (
                            "latency_bins",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveSmallIntegerField(), size=None
                            ),
                        ),
                        (
                            "latency_counts",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveBigIntegerField(), size=None
                            ),
                        ),
                    ],
                    options={
                        "db_table": "gateway_usagerollup",
                    },
                ),
                migrations.CreateModel(
                    name="RequestLog",
                    fields=[
                        ("id", models.UUIDField(primary_key=True, serialize=False)),
                        ("created_at", models.DateTimeField(db_index=True)),
                        ("organization_id", models.UUIDField(null=True)),
                        ("api_key_id", models.UUIDField(null=True)),
                        ("job_id", models.UUIDField(null=True)),
                        ("method", models.CharField(max_length=8)),
                        ("route", models.CharField(max_length=64)),
                        ("status", models.PositiveSmallIntegerField()),
                        ("error_code", models.CharField(blank=True, max_length=64)),
                        ("model", models.CharField(blank=True, max_length=100)),
                        ("voice", models.CharField(blank=True, max_length=100)),
                        ("format", models.CharField(blank=True, max_length=16)),
                        ("characters", models.PositiveIntegerField(null=True)),
                        ("samples", models.PositiveBigIntegerField(null=True)),
                        ("cost", models.DecimalField(decimal_places=9, max_digits=20, null=True)),
                        ("relayed_samples", models.PositiveBigIntegerField(null=True)),
                        ("queue_ms", models.PositiveIntegerField(null=True)),
                        ("first_audio_ms", models.PositiveIntegerField(null=True)),
                        ("synthesis_ms", models.PositiveIntegerField(null=True)),
                        ("total_ms", models.PositiveIntegerField()),
                        ("client_address", models.GenericIPAddressField(null=True)),
                        ("user_agent", models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        "db_table": "gateway_requestlog",
                        "indexes": [
                            models.Index(
                                fields=["organization_id", "-created_at"], name="request_log_of_organization"
                            ),
                            models.Index(
                                condition=models.Q(("status__gte", 400)),
                                fields=["organization_id", "-created_at"],
                                name="request_log_errors",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RollupDue",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("organization_id", models.UUIDField()),
                        ("hour", models.DateTimeField()),
                    ],
                    options={
                        "db_table": "gateway_rollupdue",
                        "indexes": [models.Index(fields=["organization_id"], name="rollup_due_of_organization")],
                    },
                ),
            ]
        ),
        # What is noted of a table by its kind goes with it.
        migrations.RunSQL(
            "UPDATE django_content_type SET app_label = 'usage' WHERE app_label = 'gateway' "
            "AND model IN ('requestlog', 'usagerollup', 'rollupdue')",
            migrations.RunSQL.noop,
        ),
    ]
