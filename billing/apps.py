from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from django.conf import settings

        from billing import checks
        from billing.alerts import emails
        from billing.invoices import tax
        from billing.invoices.checks import CHECKS
        from webhooks.ports import letter

        letter.register(emails.deliver)

        if settings.STRIPE_TAX:  # else no process pays for importing stripe
            from billing.stripe.tax import calculate

            tax.found_by_service.register(calculate)

        for check in CHECKS:
            checks.register(check)
