"""Refuses organizations without credit before their bodies are read."""

from __future__ import annotations

import time
from uuid import UUID

from psycopg_pool import AsyncConnectionPool
from starlette.datastructures import Headers

from billing import reservations
from gateway.errors import out_of_credit
from gateway.speech import idempotency

REMEMBER_SECONDS = 0.9
"""How long nothing left is believed: new credit is good within a second."""
MAX_REMEMBERED = 10_000


class Solvency:
    """Remembers whom a request was refused to for want of any credit. The refusal itself is the database's."""

    def __init__(self, database: AsyncConnectionPool) -> None:
        self._database = database
        self._until: dict[UUID, float] = {}

    def check(self, organization_id: UUID, headers: Headers) -> None:
        """Raises ApiError: 429, the organization has nothing, and this is no repetition, which costs nothing."""
        if not idempotency.may_repeat(headers) and self._until.get(organization_id, 0.0) > time.monotonic():
            raise out_of_credit()

    async def note_refusal(self, organization_id: UUID) -> None:
        """The organization's credit did not cover a request; perhaps it would cover a smaller one."""
        async with self._database.connection() as connection:
            if await reservations.nothing_left(connection, organization_id):
                if len(self._until) >= MAX_REMEMBERED:
                    self._until.clear()
                self._until[organization_id] = time.monotonic() + REMEMBER_SECONDS
