"""The log keeps what an error said, and of which member, so that a customer can see it afterwards."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("usage", "0001_initial")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="requestlog",
            name="error_message",
            field=models.CharField(blank=True, db_default="", max_length=500),
        ),
        migrations.AddField(
            model_name="requestlog",
            name="error_param",
            field=models.CharField(blank=True, db_default="", max_length=100),
        ),
    ]
