"""Keeping the usage rollups: hours from the request log and the usage records, days from hours.

Triggers note each hour that gets new rows in the very transaction that brings them, so an hour is due until its
rows are in, however late they come: there is no watermark to run past them. A refresh takes an organization's
notes away and sums the noted hours anew in one transaction. What it does is the same however often it is done,
and two at once wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import Organization

SPEECH_ROUTES = ["/v1/chat/completions", "/v1/audio/speech"]
"""Requests for speech; asking for the models or for stored audio is no usage."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('usage.rollups'), hashtext(%s))"

# The log only grows, so an hour that now counts fewer requests than before lost them with a partition that was
# dropped for its age: what was counted then stands. Usage records are never dropped.
_HOURS = """
WITH usage AS (
    SELECT date_trunc('hour', created_at, 'UTC') AS start, api_key_id, model, voice,
        sum(duration_ms) AS duration_ms, sum(cost) AS cost
    FROM billing_usagerecord
    WHERE organization_id = %(organization_id)s AND created_at >= %(first)s AND created_at < %(after)s
    GROUP BY 1, api_key_id, model, voice
), call AS (
    SELECT date_trunc('hour', created_at, 'UTC') AS start, api_key_id, model, voice, status >= 400 AS failed,
        CASE WHEN status < 400 THEN floor(ln(greatest(total_ms, 1)) / ln(1.1))::smallint END AS bin,
        count(*) AS number
    FROM gateway_requestlog
    WHERE organization_id = %(organization_id)s AND created_at >= %(first)s AND created_at < %(after)s
        AND api_key_id IS NOT NULL AND route = ANY (%(routes)s)
    GROUP BY 1, api_key_id, model, voice, failed, bin
), requested AS (
    SELECT start, api_key_id, model, voice,
        sum(number) AS requests,
        coalesce(sum(number) FILTER (WHERE failed), 0) AS errors,
        coalesce(array_agg(bin ORDER BY bin) FILTER (WHERE NOT failed), '{}') AS bins,
        coalesce(array_agg(number ORDER BY bin) FILTER (WHERE NOT failed), '{}') AS counts
    FROM call GROUP BY start, api_key_id, model, voice
)
INSERT INTO gateway_usagerollup AS rollup (
    organization_id, period, start, api_key_id, model, voice,
    requests, errors, duration_ms, cost, latency_bins, latency_counts)
SELECT %(organization_id)s, 'hour', start, api_key_id, model, voice,
    coalesce(requests, 0), coalesce(errors, 0), coalesce(duration_ms, 0), coalesce(cost, 0),
    coalesce(bins, '{}'), coalesce(counts, '{}')
FROM usage FULL JOIN requested USING (start, api_key_id, model, voice)
ON CONFLICT (organization_id, period, start, api_key_id, model, voice) DO UPDATE SET
    duration_ms = excluded.duration_ms,
    cost = excluded.cost,
    (requests, errors, latency_bins, latency_counts) = (
        SELECT best.requests, best.errors, best.latency_bins, best.latency_counts FROM (VALUES
            (rollup.requests, rollup.errors, rollup.latency_bins, rollup.latency_counts, 0),
            (excluded.requests, excluded.errors, excluded.latency_bins, excluded.latency_counts, 1)
        ) AS best (requests, errors, latency_bins, latency_counts, fresh)
        ORDER BY best.requests DESC, fresh DESC LIMIT 1
    )
"""

_DAYS = """
WITH hour AS (
    SELECT *, date_trunc('day', start, 'UTC') AS day FROM gateway_usagerollup
    WHERE organization_id = %(organization_id)s AND period = 'hour'
        AND start >= %(first)s AND start < %(after)s
), bin AS (
    SELECT day, api_key_id, model, voice, bin, sum(number) AS number
    FROM hour, unnest(latency_bins, latency_counts) AS latency (bin, number)
    GROUP BY day, api_key_id, model, voice, bin
), latency AS (
    SELECT day, api_key_id, model, voice,
        array_agg(bin ORDER BY bin) AS bins, array_agg(number ORDER BY bin) AS counts
    FROM bin GROUP BY day, api_key_id, model, voice
), counted AS (
    SELECT day, api_key_id, model, voice, sum(requests) AS requests, sum(errors) AS errors,
        sum(duration_ms) AS duration_ms, sum(cost) AS cost
    FROM hour GROUP BY day, api_key_id, model, voice
)
INSERT INTO gateway_usagerollup (
    organization_id, period, start, api_key_id, model, voice,
    requests, errors, duration_ms, cost, latency_bins, latency_counts)
SELECT %(organization_id)s, 'day', day, api_key_id, model, voice,
    requests, errors, duration_ms, cost, coalesce(bins, '{}'), coalesce(counts, '{}')
FROM counted LEFT JOIN latency USING (day, api_key_id, model, voice)
ON CONFLICT (organization_id, period, start, api_key_id, model, voice) DO UPDATE SET
    requests = excluded.requests,
    errors = excluded.errors,
    duration_ms = excluded.duration_ms,
    cost = excluded.cost,
    latency_bins = excluded.latency_bins,
    latency_counts = excluded.latency_counts
"""


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
    of: dict[str, Any] = {"organization_id": organization_id, "routes": SPEECH_ROUTES}
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
