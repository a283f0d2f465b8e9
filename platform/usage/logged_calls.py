"""Finds an organization's call in the request log by id, for an asynchronous server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A call to /v1, as the request log has it."""

    id: UUID
    created_at: datetime
    job_id: UUID | None
    method: str
    route: str
    status: int
    error_code: str
    error_message: str
    error_param: str
    model: str
    voice: str
    format: str
    characters: int | None
    service_tier: str
    samples: int | None
    cost: Decimal | None
    queue_ms: int | None
    first_audio_ms: int | None
    synthesis_ms: int | None
    total_ms: int


async def find(database: AsyncConnectionPool, id: UUID, *, organization_id: UUID) -> LoggedCall | None:
    """The call of that id; None where there is none or it is another organization's."""
    columns = ", ".join(LoggedCall.__slots__)
    async with (
        database.connection() as connection,
        connection.cursor(row_factory=class_row(LoggedCall)) as cursor,
    ):
        await cursor.execute(
            f"SELECT {columns} FROM gateway_requestlog WHERE id = %s AND organization_id = %s",  # noqa: S608 - our own
            (id, organization_id),
        )
        return await cursor.fetchone()
