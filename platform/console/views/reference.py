"""The API's reference."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import limits
from console import samples
from console.reference import errors, operations


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """How to use the API, its rate limits, and every route of it: parameters, answers, errors, sample calls."""
    base_url = samples.base_url()
    shown = {
        "tags": operations(base_url),
        "errors": errors(),
        "base_url": base_url,
        "limits": [(limit, limits.default(limit.name)) for limit in limits.LIMITS],
    }
    return render(request, "console/reference.html", shown)
