"""Dismissing an announcement."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from console import announcements
from console.models import Announcement


@require_POST
def dismiss(request: HttpRequest, announcement_id: UUID) -> HttpResponse:
    """Return to the page where it was dismissed, if that is one of ours."""
    announcement = get_object_or_404(Announcement, id=announcement_id)
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if ours else "console")
    announcements.dismiss(request, response, announcement)
    return response
