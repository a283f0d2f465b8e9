"""Routes of up to 100 characters: those of service accounts have 74. PostgreSQL rewrites no row for it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0003_service_tier"),
    ]

    operations = [
        migrations.AlterField(
            model_name="requestlog",
            name="route",
            field=models.CharField(max_length=100),
        ),
    ]
