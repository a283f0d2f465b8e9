"""An e-mail about a suspicious sign-in: after wrong passwords, from a browser that is not known."""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.signals import user_logged_in
from allauth.core.internal.httpkit import HTTP_USER_AGENT_MAX_LENGTH
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User

REMEMBERED_SECONDS = 86_400


def note_failure(email: str) -> None:
    """A wrong password was entered for this address."""
    cache.set(_key(email), True, REMEMBERED_SECONDS)


@receiver(user_logged_in)
def tell(request: HttpRequest, user: User, **_: Any) -> None:
    """Runs before allauth adds this session to the known ones, because the console is the earlier app."""
    adapter = get_adapter(request)
    known = UserSession.objects.filter(user=user, ip=adapter.get_client_ip(request))
    agent = request.META.get("HTTP_USER_AGENT", "")[:HTTP_USER_AGENT_MAX_LENGTH]
    if cache.delete(_key(user.email)) and not known.filter(user_agent=agent).exists():
        link = request.build_absolute_uri(reverse("usersessions_list"))
        adapter.send_notification_mail("account/email/new_sign_in", user, {"link": link})


def _key(email: str) -> str:
    return f"failed:{hashlib.sha256(email.lower().encode()).hexdigest()}"
