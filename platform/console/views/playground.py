"""The playground: the page, its API key, and recent generations."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import limits
from accounts import playground as playground_keys
from accounts.permissions import Action
from billing import pricing
from console import playground, samples, voices_on_offer
from console.access import Member, member_view
from gateway.schemas import MAX_COMPLETION_TOKENS
from inference import custom_voices
from inference.speech.formats import CONTENT_TYPES


@member_view(Action.USE_PLAYGROUND)
@require_safe
def show(request: HttpRequest, member: Member) -> HttpResponse:
    offer = voices_on_offer.offer()
    price = pricing.price_at(model=samples.MODEL, at=timezone.now(), organization_id=member.organization.id)
    context = {
        "member": member,
        "section": "playground",
        "small": offer.small,
        "dollars_per_minute": price.dollars_per_minute if price else 0,
        "templates": [asdict(each) for each in playground.TEMPLATES],
        "first": playground.TEMPLATES[0],
        "voices": offer.voices,
        "own_voices": list(custom_voices.voices(member.organization.id)) if offer.can_clone else [],
        "formats": [*CONTENT_TYPES],
        "model": samples.MODEL,
        "base_url": samples.base_url(),
        "languages": (("curl", "curl"), ("python", "Python"), ("javascript", "JavaScript")),
        "most_characters": limits.input_characters(key={}, organization=limits.of(member.organization)),
        "most_tokens": MAX_COMPLETION_TOKENS,
        "recent": playground.recent(member),
    }
    return render(request, "console/playground.html", context)


@member_view(Action.USE_PLAYGROUND)
@require_safe
def speak_as_written(request: HttpRequest, member: Member) -> HttpResponse:
    """A page that writes a text as a language model does, and speaks it over the socket."""
    context = {
        "member": member,
        "section": "playground",
        "voices": voices_on_offer.offer().voices,
        "model": samples.MODEL,
        "text": playground.WRITTEN,
    }
    return render(request, "console/speak_as_written.html", context)


@member_view(Action.USE_PLAYGROUND)
@require_POST
def lend_key(request: HttpRequest, member: Member) -> HttpResponse:
    """A key for the page's script, which no page shows."""
    secret, expires_at = playground_keys.lend_key(organization=member.organization, user=member.user)
    return JsonResponse({"key": secret, "expires_at": expires_at.isoformat()})


@member_view(Action.USE_PLAYGROUND)
@require_safe
def history(request: HttpRequest, member: Member) -> HttpResponse:
    """The list of recent generations, to refresh it on the page."""
    context = {"member": member, "recent": playground.recent(member)}
    return render(request, "console/parts/playground_history.html", context)
