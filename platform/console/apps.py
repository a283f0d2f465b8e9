from __future__ import annotations

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console import onboarding, preregistration, suspicion  # noqa: F401  # they listen to allauth's signals
