"""Finds an organization's stored audio by id, for an asynchronous server."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool


@dataclass(frozen=True, slots=True)
class StoredAudio:
    job_id: UUID
    path: str
    conversions: dict[str, str]
    """By format: the path of the file that was converted to it."""
    format: str
    samples: int
    receipt: dict[str, str]
    expires_at: datetime
    purged_at: datetime | None


async def find(database: AsyncConnectionPool, job_id: UUID, *, organization_id: UUID) -> StoredAudio | None:
    """A job's audio, expired or not; None where there is none or it is another organization's."""
    async with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(StoredAudio)) as cursor,
    ):
        await cursor.execute(
            """
            SELECT job_id, path, conversions, format, asset.samples, asset.receipt, expires_at, purged_at
            FROM inference_audioasset asset JOIN inference_synthesisjob job ON job.id = job_id
            WHERE job_id = %s AND asset.organization_id = %s
            """,
            (job_id, organization_id),
        )
        return await cursor.fetchone()


async def are_kept(
    database: AsyncConnectionPool, job_ids: Collection[UUID], *, organization_id: UUID
) -> dict[UUID, bool]:
    """By job: whether its audio is still there. The organization has none of a job that is not in it."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            """
            SELECT job_id, purged_at IS NULL AND expires_at > now() FROM inference_audioasset
            WHERE organization_id = %s AND job_id = ANY (%s)
            """,
            (organization_id, list(job_ids)),
        )
        return dict(await cursor.fetchall())
