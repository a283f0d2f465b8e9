"""Announcements: publishing, ending, and which of them a browser has not dismissed.

Dismissals are in a cookie, so that they work before sign-in and need no row.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from console.models import Announcement

COOKIE = "dismissed"
MOST_SHOWN = 3
MOST_DISMISSED = 50
KEPT = timedelta(days=365)


def publish(*, title: str, text: str, level: str, starts_at: datetime, ends_at: datetime) -> Announcement:
    return Announcement.objects.create(title=title, text=text, level=level, starts_at=starts_at, ends_at=ends_at)


def end(announcement: Announcement) -> bool:
    """End it now, or cancel it before it starts; False if it had already ended."""
    now = timezone.now()
    not_over = Announcement.objects.filter(id=announcement.id, ended_at=None, ends_at__gt=now)
    return bool(not_over.update(ended_at=now))


def current(*, without: Collection[UUID] = ()) -> QuerySet[Announcement]:
    """The announcements to show now, newest first."""
    now = timezone.now()
    valid = Announcement.objects.filter(ended_at=None, ends_at__gt=now, starts_at__lte=now)
    return valid.exclude(id__in=without).order_by("-starts_at")[:MOST_SHOWN]


def dismissed(request: HttpRequest) -> list[UUID]:
    """The announcements that this browser dismissed; an invalid cookie counts as none."""
    try:
        return [UUID(hex=each) for each in request.COOKIES.get(COOKIE, "").split(".")[:MOST_DISMISSED] if each]
    except ValueError:
        return []


def dismiss(request: HttpRequest, response: HttpResponse, announcement: Announcement) -> None:
    """Dismiss one in this browser; the oldest dismissals are dropped first."""
    away = dict.fromkeys([announcement.id, *dismissed(request)])
    response.set_cookie(
        COOKIE,
        ".".join(id.hex for id in [*away][:MOST_DISMISSED]),
        max_age=KEPT,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
