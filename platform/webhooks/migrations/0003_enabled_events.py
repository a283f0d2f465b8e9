"""Each endpoint chooses the events that it is told of; those that exist go on being told of all."""

import django.contrib.postgres.fields
from django.db import migrations, models

import webhooks.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0025_admin_keys"),
        ("webhooks", "0002_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="enabled_events",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64),
                db_default=["*"],
                default=webhooks.models.every_event,
                size=None,
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("enabled_events", ["*"]),
                    models.Q(
                        ("enabled_events__len__gt", 0),
                        models.Q(("enabled_events__contains", ["*"]), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="webhook_endpoint_wants_events",
            ),
        ),
    ]
