"""Lookups of stored audio for the gateway, whose event loop runs no Django queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

_ASSET = """
SELECT job_id, path, conversions, format, asset.samples, asset.receipt, expires_at, purged_at
FROM inference_audioasset asset JOIN inference_synthesisjob job ON job.id = job_id
WHERE job_id = %s AND asset.organization_id = %s
"""
_AVAILABLE = """
SELECT job_id, purged_at IS NULL AND expires_at > now() FROM inference_audioasset
WHERE organization_id = %s AND job_id = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class StoredAudio:
    """A job's audio in the store, which may have expired or been purged since."""

    job_id: UUID
    path: str
    conversions: dict[str, str]
    format: str
    samples: int
    receipt: dict[str, str]
    expires_at: datetime
    purged_at: datetime | None


async def find(connection: psycopg.AsyncConnection, *, organization_id: UUID, job_id: UUID) -> StoredAudio | None:
    """The organization's audio of a job; None where there is none, or where it is another organization's."""
    async with connection.cursor(row_factory=class_row(StoredAudio)) as cursor:
        await cursor.execute(_ASSET, (job_id, organization_id))
        return await cursor.fetchone()


async def available(
    connection: psycopg.AsyncConnection, *, organization_id: UUID, job_ids: Sequence[UUID]
) -> dict[UUID, bool]:
    """Whether each job's audio can still be heard. Jobs without audio of this organization's are absent."""
    cursor = await connection.execute(_AVAILABLE, (organization_id, list(job_ids)))
    return dict(await cursor.fetchall())
