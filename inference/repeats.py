"""Repeated requests: finding the job that an earlier one made, and waiting for it with the others.

There is no table of keys: a job carries its own, unique within its organization, so that a key exists exactly when
its job does and no crash can lock one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import class_row

# A key stands for its job for 24 hours.
_EARLIER = """
    SELECT id AS job_id, fingerprint,
        state IN ('failed', 'cancelled', 'expired') OR cancel_requested_at IS NOT NULL
        OR created_at < now() - INTERVAL '24 hours' AS void
    FROM inference_synthesisjob
"""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The job of an earlier request. `void`: it left nothing to answer with, so that the request is a new one."""

    job_id: UUID
    fingerprint: UUID | None
    void: bool


async def find_by_key(
    database: psycopg.AsyncConnection, *, organization_id: UUID, idempotency_key: str
) -> Earlier | None:
    """The organization's job under that key."""
    # The last condition is the index's own. A prepared plan, which knows no key, uses the index only with it.
    return await _one(
        database,
        _EARLIER + " WHERE organization_id = %s AND idempotency_key = %s AND idempotency_key <> ''",
        (organization_id, idempotency_key),
    )


async def find_by_fingerprint(
    database: psycopg.AsyncConnection, *, api_key_id: UUID, fingerprint: UUID
) -> Earlier | None:
    """The last job of the same request by the same key, while it may be the try that a retry follows."""
    return await _one(
        database,
        _EARLIER
        + """
        WHERE fingerprint = %s AND api_key_id = %s
            AND (finished_at IS NULL OR finished_at > now() - INTERVAL '1 minute')
        ORDER BY created_at DESC LIMIT 1
        """,
        (fingerprint, api_key_id),
    )


async def join(database: psycopg.AsyncConnection, job_id: UUID) -> bool:
    """Join the listeners of a running job; False if it was abandoned meanwhile."""
    cursor = await database.execute(
        """
        UPDATE inference_synthesisjob SET listeners = listeners + 1, relayed_samples = NULL
        WHERE id = %s AND (state = 'succeeded' OR state IN ('queued', 'running') AND cancel_requested_at IS NULL)
        """,
        (job_id,),
    )
    return cursor.rowcount == 1


async def forget_key(database: psycopg.AsyncConnection, job_id: UUID) -> None:
    """Let the key of a void job go, for a new one."""
    await database.execute("UPDATE inference_synthesisjob SET idempotency_key = '' WHERE id = %s", (job_id,))


async def _one(database: psycopg.AsyncConnection, query: str, parameters: tuple[object, ...]) -> Earlier | None:
    async with database.cursor(row_factory=class_row(Earlier)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchone()
