"""Recording the results of probes, each once."""

from __future__ import annotations

from collections import deque
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from status.models import Outage
from status.probes import Probe

MOST_WAITING = 3 * 2 * 60 * 24 * 3
"""Three days of probes, which are kept in memory while the database is unavailable."""

MOST_MISSED = 10
"""Missed probes between two that still count as one state: over a longer gap the state is unknown."""

_SEE = """
INSERT INTO status_component AS seen (name, slot, ok, since, times) VALUES (%(name)s, %(slot)s, %(ok)s, %(at)s, 1)
ON CONFLICT (name) DO UPDATE SET slot = EXCLUDED.slot, ok = EXCLUDED.ok,
    since = CASE WHEN seen.ok = EXCLUDED.ok AND EXCLUDED.slot - seen.slot - 1 <= %(most_missed)s
        THEN seen.since ELSE EXCLUDED.since END,
    times = CASE WHEN seen.ok = EXCLUDED.ok AND EXCLUDED.slot - seen.slot - 1 <= %(most_missed)s
        THEN seen.times + 1 ELSE 1 END
WHERE seen.slot < EXCLUDED.slot
RETURNING since, times
"""
"""The slot makes it idempotent: of two probers at the same moment, one is counted."""

_COUNT = """
INSERT INTO status_day AS day (component, date, probes, failures)
VALUES (%(name)s, (%(at)s AT TIME ZONE 'UTC')::date, 1, %(failures)s)
ON CONFLICT (component, date) DO UPDATE SET probes = day.probes + 1, failures = day.failures + EXCLUDED.failures
"""
FAILURES_OF_AN_OUTAGE = 2
"""A single failure may be the network's."""


class ProbeRecorder:
    """Buffers results while the database is unavailable, because its outage counts, too."""

    def __init__(self) -> None:
        self._waiting: deque[Probe] = deque(maxlen=MOST_WAITING)

    def add(self, probes: list[Probe]) -> bool:
        """Write these and the buffered ones in order; False if the database is unavailable."""
        self._waiting.extend(probes)
        try:
            while self._waiting:
                record(self._waiting[0])
                self._waiting.popleft()
        except (OperationalError, InterfaceError):
            connection.close()
            return False
        return True


@transaction.atomic
def record(probe: Probe) -> bool:
    """Count a probe, and start or end an outage; False if its slot was already counted."""
    values: dict[str, Any] = {
        "name": probe.component,
        "slot": probe.slot,
        "ok": probe.ok,
        "at": probe.at,
        "failures": int(not probe.ok),
        "most_missed": MOST_MISSED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SEE, values)
        seen = cursor.fetchone()
        if seen is None:
            return False
        since, times = seen
        cursor.execute(_COUNT, values)
    running = Outage.objects.filter(component=probe.component, ended_at=None)
    if probe.ok:
        running.update(ended_at=probe.at)
    elif times >= FAILURES_OF_AN_OUTAGE and not running.exists():
        Outage.objects.create(component=probe.component, began_at=since)
    return True
