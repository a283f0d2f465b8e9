"""Reading the request log: an organization's calls, newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from django.db.models import Q

from usage.models import RequestLog
from usage.rollups import SPEECH_ROUTES

PAGE_SIZE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Outcome = Literal["any", "ok", "failed"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the next one begins below. As text: microseconds since 1970, and the id."""

    created_at: datetime
    id: UUID

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what no page has said."""
        microseconds, _, id = text.partition("-")
        try:
            return cls(EPOCH + int(microseconds) * MICROSECOND, UUID(hex=id))
        except OverflowError:
            raise ValueError(text) from None

    def __str__(self) -> str:
        return f"{(self.created_at - EPOCH) // MICROSECOND}-{self.id.hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which calls; a filter with no value is none."""

    organization_id: UUID
    start: datetime | None = None
    end: datetime | None = None
    outcome: Outcome = "any"
    api_key_id: UUID | None = None
    voice: str = ""
    speech_only: bool = False
    after: Cursor | None = None


def find(search: Search) -> tuple[list[RequestLog], Cursor | None]:
    """A page, newest first, and where the next one begins if there is one.

    A page costs the same however far down it lies: it is read from the index, from where the last one ended.
    """
    rows = RequestLog.objects.filter(organization_id=search.organization_id)
    if search.start is not None:
        rows = rows.filter(created_at__gte=search.start)
    if search.end is not None:
        rows = rows.filter(created_at__lt=search.end)
    if search.outcome != "any":
        rows = rows.filter(status__lt=400) if search.outcome == "ok" else rows.filter(status__gte=400)
    if search.api_key_id is not None:
        rows = rows.filter(api_key_id=search.api_key_id)
    if search.voice:
        rows = rows.filter(voice=search.voice)
    if search.speech_only:
        rows = rows.filter(route__in=SPEECH_ROUTES)
    if (after := search.after) is not None:
        rows = rows.filter(
            Q(created_at__lt=after.created_at) | Q(id__lt=after.id), created_at__lte=after.created_at
        )
    page = list(rows.order_by("-created_at", "-id")[: PAGE_SIZE + 1])
    if len(page) <= PAGE_SIZE:
        return page, None
    page.pop()
    return page, Cursor(page[-1].created_at, page[-1].id)


def last_spoken(organization_id: UUID) -> RequestLog | None:
    """The last call that got speech: that there is one is what a newcomer waits for."""
    calls = RequestLog.objects.filter(
        organization_id=organization_id, route__in=SPEECH_ROUTES, status=200, job_id__isnull=False
    )
    return calls.order_by("-created_at").first()
