"""Pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from billing import pricing
from gateway.catalog import MODELS
from inference.speech.formats import FORMAT_NAMES
from inference.speech.voices import VOICES


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, what it costs, and the first request, ready to paste."""
    offers = [
        (model, price.dollars_per_minute.normalize())
        for model in MODELS
        if (price := pricing.price_at(model=model, at=timezone.now()))
    ]
    context = {
        "base_url": request.build_absolute_uri("/v1"),
        "offers": offers,
        "voices": VOICES,
        "formats": FORMAT_NAMES,
        "model": next(iter(MODELS)),
    }
    return render(request, "console/home.html", context)
