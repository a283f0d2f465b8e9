"""The public status page, for people and as JSON. It reads only the database and needs no sign-in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from status import uptime

FRESH_SECONDS = 15
_WORDS = {True: "up", False: "down", None: "unknown"}


def _public(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Cached by proxies for a few seconds, so that many visitors cost as much as one."""

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        response = view(request)
        patch_cache_control(response, public=True, max_age=FRESH_SECONDS)
        return response

    return answer


@_public
def page(request: HttpRequest) -> HttpResponse:
    try:
        states, incidents = uptime.states(), uptime.incidents()
    except OperationalError:
        return render(request, "status/away.html", status=503)
    known = [state for state in states if state.ok is not None]
    context = {
        "states": states,
        "incidents": incidents,
        "down": [state for state in states if state.ok is False],
        "all_known": len(known) == len(states),
        "days": uptime.DAYS,
    }
    return render(request, "status/page.html", context)


@_public
def as_json(request: HttpRequest) -> HttpResponse:
    """`{"status", "components": [{"name", "status", "since", "uptime_percent", "days"}], "outages": [...]}`.

    A status is `up`, `down` or `unknown`; a day is `{"date", "probes", "failures"}`, oldest first; times are ISO
    8601 in UTC.
    """
    try:
        states, incidents = uptime.states(), uptime.incidents()
    except OperationalError:
        return JsonResponse({"status": "down", "components": [], "outages": []}, status=503)
    found = [state.ok for state in states]
    whole = False if False in found else None if None in found else True
    return JsonResponse(
        {
            "status": _WORDS[whole],
            "components": [_component(state) for state in states],
            "outages": [
                {"component": each.kind.name, "began_at": each.began_at, "ended_at": each.ended_at}
                for each in incidents
            ],
        }
    )


def _component(state: uptime.State) -> dict[str, Any]:
    return {
        "name": state.kind.name,
        "status": _WORDS[state.ok],
        "since": state.since,
        "uptime_percent": None if state.uptime is None else str(state.uptime),
        "days": [
            {"date": day.date, "probes": day.probes, "failures": day.failures} for day in state.days if day.probes
        ],
    }
