"""The lifetime of sessions, and their last activity."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

BEGAN, SEEN = "began", "seen"
NOTE_SECONDS = 60
"""Activity is recorded once a minute at most, so that not every page writes."""


class Sessions:
    """Ends a session that was idle for too long or has reached its age, and keeps the list of sessions current.

    The cookie's age alone would be for the browser to keep to, and each write of the session renews it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.session.session_key and request.user.is_authenticated:
            _check(request)
        return self._get_response(request)


def _check(request: HttpRequest) -> None:
    session, now = request.session, int(time.time())
    began, seen = session.setdefault(BEGAN, now), session.get(SEEN)
    too_old = now - began > settings.SESSION_COOKIE_AGE
    too_idle = seen is not None and now - seen > settings.SESSION_IDLE_SECONDS
    if too_old or too_idle:
        logout(request)
    elif seen is None or now - seen >= NOTE_SECONDS:
        session[SEEN] = now
        UserSession.objects.create_from_request(request)
