"""Access to the admin: operators with a role and a second factor. Others are redirected or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from unfold.sites import UnfoldAdminSite

from operations import reports, roles
from operations.roles import Act

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",  # Unfold uses Alpine, which evaluates its attributes
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class OperationsSite(UnfoldAdminSite):  # type: ignore[misc]  # it has no types
    site_title = site_header = "Speech operations"
    index_title = "Overview"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Act.LOOK)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Anonymous visitors sign in; operators without a second factor set it up; customers get a 403."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next", reverse("admin:index")))
        if request.user.is_staff and not roles.has_second_factor(request.user):
            return redirect("mfa_activate_totp")
        if not self.has_permission(request):
            raise PermissionDenied("This page is for operators of the service.")
        return redirect("admin:index")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from operations.admin import visits  # imported late: the admin finds these pages when all apps are ready

        return [
            path("reports/", self.admin_view(reports.page), name="reports"),
            path("visits/<uuid:organization_id>/end/", self.admin_view(visits.end), name="visit_end"),
            *super().get_urls(),
        ]

    def admin_view(
        self, view: Callable[..., HttpResponseBase], cacheable: bool = False
    ) -> Callable[..., HttpResponseBase]:
        inner = super().admin_view(view, cacheable)

        def with_policy(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response: HttpResponse = inner(request, *args, **kwargs)
            response.headers["content-security-policy"] = POLICY
            return response

        return with_policy
