from __future__ import annotations

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console import onboarding  # noqa: F401  # it listens for addresses that are confirmed
