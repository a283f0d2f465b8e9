"""The management API's routes in Django; `gateway.app` sends them here."""

from __future__ import annotations

from django.urls import path

from gateway.key_api import KeyView
from gateway.usage_api import UsageView

urlpatterns = [
    path("v1/key", KeyView.as_view()),
    path("v1/usage", UsageView.as_view()),
]
