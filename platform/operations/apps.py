from __future__ import annotations

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig


class OperationsConfig(AppConfig):
    name = "operations"
    default = True

    def ready(self) -> None:
        from accounts import visits
        from operations import roles

        visits.may_visit.register(roles.may_visit)


class AdminSiteConfig(SimpleAdminConfig):
    """Django's admin, with our access check."""

    default = False
    default_site = "operations.site.OperationsSite"

    def ready(self) -> None:
        super().ready()
        admin.autodiscover()
        from operations.admin.base import Looked

        # Other packages' pages would allow editing people and reading their second factors' secrets.
        for model in [model for model, page in admin.site._registry.items() if not isinstance(page, Looked)]:
            admin.site.unregister(model)
