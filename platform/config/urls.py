"""Django's routes; the API's are in `gateway.app`."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("console.urls")),
    path("", include("gateway.urls")),
    path("", include("status.urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/elsewhere/", include("allauth.socialaccount.urls")),
    path("accounts/elsewhere/", include("allauth.socialaccount.providers.github.urls")),
    path("accounts/elsewhere/", include("allauth.socialaccount.providers.openid_connect.urls")),
]
