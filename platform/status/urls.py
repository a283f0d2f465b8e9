from __future__ import annotations

from django.urls import path

from status import views

urlpatterns = [
    path("status", views.page, name="status"),
    path("status.json", views.as_json, name="status_json"),
]
