"""Whether a line of a batch is to be stored."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gateway", "0007_files_batches_and_background"),
    ]

    operations = [
        migrations.AddField(
            model_name="batchline",
            name="stored",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
