"""Whether a job has ended, for listeners who hear nothing: those who ask at about the same time are told together.

Where workers are busy, thousands of requests wait in silence. One by one, their questions would take more of the
gateway than the audio of those that are served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from gateway.coalescer import Coalescer
from inference import results
from inference.results import Result

GATHER_SECONDS = 0.1
"""How long a question waits for others. Who asks has heard nothing for seconds."""
MOST = 1000
"""Jobs in one statement."""
LOST = Result(state="failed", error_code="worker_lost")


class Ends:
    """The ends of jobs, as the database has them."""

    def __init__(self, database: AsyncConnectionPool) -> None:
        self._database = database
        self._together = Coalescer(self._look, most=MOST)

    async def of(self, job_id: UUID) -> Result | None:
        """The result of a job that has ended, else None. One whose row is gone, as a crash of the database may
        take it, is lost.

        Raises:
            psycopg.OperationalError, psycopg_pool.PoolTimeout: the database is away.
        """
        return await self._together(job_id)

    async def _look(self, job_ids: Sequence[UUID]) -> list[Result | None]:
        await asyncio.sleep(GATHER_SECONDS)
        async with self._database.connection() as connection:
            found = await results.fetch(connection, job_ids)
        return [found.get(each, LOST) for each in job_ids]
