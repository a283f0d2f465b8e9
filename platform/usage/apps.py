from __future__ import annotations

from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "usage"

    def ready(self) -> None:
        from billing.invoices import statements
        from usage import request_ids

        statements.request_ids.register(request_ids.of_jobs)
