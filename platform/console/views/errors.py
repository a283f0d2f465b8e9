"""Django's error pages in our design; 400, 403, 404 and 500 have templates of these names."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a page that was open too long, or from another site."""
    return render(request, "403_csrf.html", status=403)
