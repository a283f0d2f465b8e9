from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import verification
        from billing.invoices.checks import CHECKS

        for check in CHECKS:
            verification.register(check)
