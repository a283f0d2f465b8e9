"""Support access to customers' consoles: who, why and how long; and how to end it."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import visits
from accounts.models import User, Visit
from operations.admin.base import Looked


@admin.register(Visit)
class Visits(Looked):
    list_display = ("began_at", "operator", "organization", "reason", "expires_at", "ended_at")
    list_display_links = ("began_at",)
    list_select_related = ("operator", "organization")
    found_by = ("id", "organization")
    ordering = ("-id",)


@require_POST
def end(request: HttpRequest, organization_id: UUID) -> HttpResponse:
    """End the visit, if there is one, and return to the customer's page in the admin."""
    if visits.end(operator=cast(User, request.user)):
        messages.success(request, "The visit has ended.")
    return redirect("admin:accounts_organization_change", organization_id)
