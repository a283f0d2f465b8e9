"""Keeping the usage rollups: hours from the request log and the usage records, days from hours.

Triggers note each hour that gets new rows in the very transaction that brings them, so an hour is due until its
rows are in, however late they come: there is no watermark to run past them. A refresh takes an organization's
notes away and sums the noted hours anew in one transaction. What it does is the same however often it is done,
and two at once wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import Organization
from usage.models import LATENCY_BASE

SPEECH_ROUTES = ["/v1/chat/completions", "/v1/audio/speech"]
"""Requests for speech; asking for the models or for stored audio is no usage."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('usage.rollups'), hashtext(%s))"

_HERE = Path(__file__).parent
_HOURS = (_HERE / "hours.sql").read_text("utf-8")
_DAYS = (_HERE / "days.sql").read_text("utf-8")


def refresh_all() -> int:
    """Refresh whoever has something due; returns how many organizations that were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT organization_id FROM gateway_rollupdue")
        due = [organization_id for (organization_id,) in cursor.fetchall()]
    for organization_id in due:
        refresh(organization_id=organization_id)
    return len(due)


@transaction.atomic
def refresh(*, organization_id: UUID) -> int:
    """Bring one organization's rollups up to date; returns how many hours were due."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (str(organization_id),))
        # What commits after this statement keeps its note; what committed before is seen by the ones that follow.
        cursor.execute(
            "DELETE FROM gateway_rollupdue WHERE organization_id = %s RETURNING hour", (organization_id,)
        )
        hours = sorted({hour for (hour,) in cursor.fetchall()})
        if hours:
            _sum_up(cursor, organization_id, hours)
        return len(hours)


def rebuild(*, first: datetime, after: datetime, organization_ids: Sequence[UUID] | None = None) -> int:
    """Make the rollups of whole days, midnight to midnight, anew; returns of how many organizations.

    Hours that the request log no longer reaches keep the requests that were counted in time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('hour', created_at, 'UTC') FROM gateway_requestlog ORDER BY id LIMIT 1")
        oldest = cursor.fetchone()
    if organization_ids is None:
        organization_ids = list(Organization.objects.order_by("id").values_list("id", flat=True))
    for organization_id in organization_ids:
        day = first
        while day < after:
            _rebuild_day(organization_id, day, oldest[0] if oldest else after)
            day += timedelta(days=1)
    return len(organization_ids)


@transaction.atomic
def _rebuild_day(organization_id: UUID, day: datetime, log_since: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (str(organization_id),))
        cursor.execute(
            """
            DELETE FROM gateway_usagerollup
            WHERE organization_id = %s AND start >= %s AND start < %s AND (period = 'day' OR start >= %s)
            """,
            (organization_id, day, day + timedelta(days=1), log_since),
        )
        _sum_up(cursor, organization_id, [day + timedelta(hours=hour) for hour in range(24)])


def _sum_up(cursor: CursorWrapper, organization_id: UUID, hours: list[datetime]) -> None:
    """Sum hours up anew, and then the days they lie in."""
    of: dict[str, Any] = {
        "organization_id": organization_id,
        "routes": SPEECH_ROUTES,
        "latency_base": LATENCY_BASE,
    }
    for first, after in _spans(hours):
        cursor.execute(_HOURS, {**of, "first": first, "after": after})
    for day in sorted({hour.replace(hour=0) for hour in hours}):
        cursor.execute(_DAYS, {**of, "first": day, "after": day + timedelta(days=1)})


def _spans(hours: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Sorted hours as spans of time: PostgreSQL reads a span from an index, and of a list of them it reads all."""
    spans: list[tuple[datetime, datetime]] = []
    for hour in hours:
        first = spans.pop()[0] if spans and spans[-1][1] == hour else hour
        spans.append((first, hour + timedelta(hours=1)))
    return spans
