"""Options of a format, when each word is spoken, and how names are said. No row is rewritten."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("accounts", "0022_limits_of_people_and_letters"),
        ("inference", "0010_custom_voices"),
    ]
    operations: ClassVar = [
        migrations.AlterField(model_name="synthesisjob", name="format", field=models.CharField(max_length=100)),
        migrations.AddField(
            model_name="synthesisjob",
            name="timestamps",
            field=models.CharField(blank=True, db_default="", max_length=8),
        ),
        migrations.AddField(model_name="synthesisjob", name="pronunciation", field=models.UUIDField(null=True)),
        migrations.CreateModel(
            name="PronunciationDictionary",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PronunciationVersion",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("rules", models.JSONField()),
                ("created_at", models.DateTimeField()),
                (
                    "dictionary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="inference.pronunciationdictionary",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("dictionary", "number"), name="version_numbered_once")
                ]
            },
        ),
        migrations.CreateModel(
            name="KeyPronunciation",
            fields=[
                (
                    "api_key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.apikey",
                    ),
                ),
                (
                    "dictionary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inference.pronunciationdictionary",
                    ),
                ),
            ],
        ),
    ]
