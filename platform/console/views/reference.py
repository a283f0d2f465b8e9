"""The API's reference."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import limits
from console import samples
from console.reference import operations


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Every route: what it takes, what it answers, how it is called; and the rate limits of all of them."""
    context = {
        "tags": operations(samples.base_url()),
        "limits": [(limit, limits.default(limit.name)) for limit in limits.LIMITS],
    }
    return render(request, "console/reference.html", context)
