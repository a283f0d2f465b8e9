"""The getting-started page, its check for the first request, and the overview."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.keys import EVERYTHING
from accounts.models import ApiKey
from accounts.permissions import Action
from billing.models import Account
from console import blocked, key_actions, onboarding, periods, samples
from console.access import Member, member_view
from console.key_actions import Terms
from console.usage_report import UsageReport
from usage import request_search
from usage.request_search import Search

FIRST_KEY = Terms(name="Getting started", limits={}, reach=EVERYTHING, budgets={})
RECENT = 5


@member_view(Action.SEE_USAGE)
@require_safe
def overview(request: HttpRequest, member: Member) -> HttpResponse:
    """The last 30 days; before the first request, how to make it."""
    recent, _ = request_search.find(Search(organization_id=member.organization.id))
    if not recent:
        return redirect("start", member.organization.id)
    account = Account.objects.filter(organization=member.organization).first() or Account()
    context = {
        "member": member,
        "section": "overview",
        "report": UsageReport(member.organization.id, periods.default()),
        "recent": [(row, None) for row in recent[:RECENT]],
        "account": account,
        "blocked": blocked.of(member.organization, account),
    }
    return render(request, "console/overview.html", context)


@member_view(Action.SEE_KEYS)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, member: Member) -> HttpResponse:
    """Key, code, check mark. A POST creates a key; its response is the only place that shows it."""
    secret = None
    if request.method == "POST" and member.may(Action.MANAGE_KEYS):
        _, secret = key_actions.create(member=member, terms=FIRST_KEY, expires_at=None)
    context = {
        "member": member,
        "section": "start",
        "secret": secret,
        "has_keys": ApiKey.objects.filter(
            organization=member.organization, revoked_at=None, playground_of=None
        ).exists(),
        "samples": samples.for_key(samples.base_url(), secret),
        "base_url": samples.base_url(),
        "free": onboarding.offer(),
        **_first(member),
    }
    return render(request, "console/start.html", context)


@member_view(Action.SEE_KEYS)
@require_safe
def check(request: HttpRequest, member: Member) -> HttpResponse:
    """The check mark, which the page polls for: 204 until there is one; on 286 htmx stops polling."""
    first = _first(member)
    if first["first"] is None:
        return HttpResponse(status=204)
    return render(request, "console/parts/first_call.html", {"member": member, **first}, status=286)


def _first(member: Member) -> dict[str, Any]:
    """The last successful request, and whether the member can play its audio."""
    found = request_search.last_spoken(member.organization.id)
    playable = found is not None and member.may(Action.HEAR_AUDIO) and not member.visit
    return {"first": found, "playable": playable}
