"""Endpoints, their secrets and the outbox are in `webhooks` now; their tables stay as they are."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0014_reserve_together"), ("webhooks", "0001_initial")]
    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("AlertDelivery"),
                migrations.DeleteModel("WebhookSecret"),
                migrations.DeleteModel("WebhookEndpoint"),
            ]
        )
    ]
