"""Admission by group commit: requests that arrive while an admission is in flight go together as one statement.

One client pays one round trip and one commit; a hundred share one of each. Every request is decided by itself,
and a refusal is an answer of the statement, so that it undoes nothing of another and leaves no error in
PostgreSQL's log.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool

from billing import pricing, reservations
from gateway.coalescer import Coalescer
from inference import jobs, repeats
from inference.delivery import generation_seconds
from inference.jobs import NewJob

HOLD_MARGIN = timedelta(minutes=5)
"""How long after its job's last deadline a hold waits for the end, which a sweeper reports by then."""
MOST = 100
"""Requests in one statement. Its locks are held for some milliseconds."""
FAULTS = (psycopg.DataError, psycopg.IntegrityError)
"""What one row of a statement may cause; PostgreSQL has then undone the whole statement."""

# A request is a repeat of an earlier one, or gets a hold and a job, or is refused.
_ADMIT = f"""
WITH repeat AS MATERIALIZED (
    SELECT * FROM inference_join_repeats(%(jobs)s::json, %(patient)s)
), hold AS MATERIALIZED (
    SELECT * FROM billing_reserve(%(jobs)s::json, ARRAY(SELECT id FROM repeat), %(patient)s)
), admitted AS (
    SELECT job_id AS id FROM hold WHERE outcome = 'held'
), submitted AS (
    {jobs.SUBMIT}
)
SELECT id, outcome, detail, earlier,
    CASE WHEN %(awaited)s THEN set_config('synchronous_commit', 'off', true) END
FROM (
    SELECT id, outcome, '' AS detail, earlier FROM repeat
    UNION ALL
    SELECT job_id, outcome, detail, NULL FROM hold
) AS answer
"""  # noqa: S608 - our own column names
"""Where every client waits for its job, the commit does not wait for the disk: that of the claim does, for all
that was written before. A crash of PostgreSQL in between loses hold and job together, which nobody has begun to
speak, and `Ends` tells the client."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A job that is asked for.

    Attributes:
        cap_ms: the audio that its hold covers at first.
        retried: its client counts it as another try.
        awaited: its client hears nothing of it before it is claimed.
        tier: of service, which may have a price of its own (`billing.pricing.TIERS`).
    """

    job: NewJob
    cap_ms: int
    retried: bool = False
    awaited: bool = False
    tier: str = "default"

    def member(self) -> dict[str, Any]:
        """As the statement takes it: see `reserve.sql`, `repeats.sql` and `jobs.SUBMIT`."""
        job = self.job
        lasts = timedelta(seconds=job.deadline_seconds + generation_seconds(job.max_frames)) + HOLD_MARGIN
        return {
            **jobs.member(job),
            "cap_ms": self.cap_ms,
            "priced_as": pricing.entry(job.model, tier=self.tier),
            "hold_seconds": lasts.total_seconds(),
            "retried": self.retried,
        }


class AdmissionOutcome(NamedTuple):
    """What became of it: an outcome of `billing_reserve` or of `inference_join_repeats`."""

    outcome: str
    detail: str
    earlier: UUID | None


class Admissions:
    """The admissions of one process.

    Args:
        ring: tells the workers that jobs wait; called once for all that are admitted together. It raises nothing.
            None where the caller does that.

    All go through one lane, whose statement waits for no lock. An organization whose account, or whose repeated
    job, somebody else has locked gets a lane of its own, which waits, until that lane is empty. So nobody waits
    for another's account.
    """

    def __init__(
        self, database: AsyncConnectionPool, ring: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        self._database = database
        self._ring = ring
        self._ringing: set[asyncio.Task[None]] = set()
        self._lane = self._open_lane(patient=False)
        self._own_lanes: dict[UUID, Coalescer[Admission, AdmissionOutcome]] = {}

    async def admit(self, admission: Admission) -> AdmissionOutcome:
        """Hold the money of the job and write the job, or join the earlier one; both or neither.

        Raises:
            psycopg.Error: the database could not be asked, or this very job breaks one of its rules.
        """
        organization_id = admission.job.organization_id
        if organization_id not in self._own_lanes:
            outcome = await self._lane(admission)
            if outcome.outcome != repeats.BUSY:
                return outcome
        lane = self._own_lanes.setdefault(organization_id, self._open_lane(patient=True))
        try:
            while (outcome := await lane(admission)).outcome == repeats.BUSY:
                pass  # another request of the batch has its idempotency key, and has been answered now
            return outcome
        finally:
            if lane.idle:
                self._own_lanes.pop(organization_id, None)

    def _open_lane(self, *, patient: bool) -> Coalescer[Admission, AdmissionOutcome]:
        return Coalescer(partial(self._place, patient=patient), most=MOST, faults=FAULTS)

    async def _place(self, admissions: Sequence[Admission], *, patient: bool) -> list[AdmissionOutcome]:
        async with self._database.connection() as connection:
            outcomes = await place(connection, admissions, patient=patient)
        if self._ring and any(each.outcome == reservations.HELD for each in outcomes):
            # Beside the lane: a Redis that hangs must not hold up the admissions that follow.
            ringing = asyncio.create_task(self._ring())
            self._ringing.add(ringing)
            ringing.add_done_callback(self._ringing.discard)
        return outcomes


async def place(
    connection: psycopg.AsyncConnection, admissions: Sequence[Admission], *, patient: bool = True
) -> list[AdmissionOutcome]:
    """The outcome of each, in their order. If not `patient`, it is `busy` for those that would wait for a lock."""
    rows, awaited = _as_json(admissions), all(each.awaited for each in admissions)
    cursor = await connection.execute(_ADMIT, {"jobs": rows, "patient": patient, "awaited": awaited})
    found = {row[0]: AdmissionOutcome(*row[1:4]) for row in await cursor.fetchall()}
    return [found[each.job.id] for each in admissions]


async def join_repeat(database: AsyncConnectionPool, admission: Admission) -> AdmissionOutcome | None:
    """Join the earlier job that the request repeats; None where it repeats none."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "SELECT outcome, '', earlier FROM inference_join_repeats(%s::json, true)",
            (_as_json([admission]),),
        )
        row = await cursor.fetchone()
    return AdmissionOutcome(*row) if row else None


def _as_json(admissions: Sequence[Admission]) -> str:
    return json.dumps([each.member() for each in admissions], ensure_ascii=False, default=_as_text)


def _as_text(value: object) -> str:
    """As PostgreSQL reads it: a recording's bytes in hexadecimal."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
