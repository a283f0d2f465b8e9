"""What waits between Stripe and us, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

_BACKLOG = """
SELECT
    (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::bigint
     FROM billing_stripecall WHERE state = 'pending') AS oldest_call_seconds,
    (SELECT count(*) FROM billing_stripecall WHERE state = 'dead') AS dead_calls,
    (SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::bigint
     FROM billing_stripeevent WHERE state = 'pending') AS oldest_event_seconds,
    (SELECT count(*) FROM billing_stripeevent WHERE state = 'dead') AS dead_events,
    (SELECT count(*) FROM billing_stripedifference WHERE state = 'open') AS differences
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Calls and events that have no effect yet, or never will, and the open differences between the two books."""

    oldest_call_seconds: int
    dead_calls: int
    oldest_event_seconds: int
    dead_events: int
    differences: int


async def read(connection: psycopg.AsyncConnection) -> Backlog:
    async with connection.cursor(row_factory=class_row(Backlog)) as cursor:
        await cursor.execute(_BACKLOG)
        backlog = await cursor.fetchone()
    assert backlog is not None  # noqa: S101 - a SELECT of values has one row
    return backlog
