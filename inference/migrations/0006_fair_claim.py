from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0005_delivery"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="synthesisjob",
            index=models.Index(
                fields=["state", "organization", "created_at"],
                condition=Q(state__in=["queued", "running"]),
                name="job_share",
            ),
        ),
        migrations.AddIndex(
            model_name="synthesisjob",
            index=models.Index(
                fields=["organization", "started_at"], condition=Q(started_at__isnull=False), name="job_served"
            ),
        ),
    ]
