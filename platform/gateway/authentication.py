"""Who is calling: `Authorization: Bearer sk-<public id>-<secret>`."""

from __future__ import annotations

import time
from uuid import UUID

from django.utils import timezone
from psycopg_pool import AsyncConnectionPool
from starlette.datastructures import Headers

from accounts import keys
from accounts.keys import Principal
from gateway.errors import invalid_key, missing_key

REMEMBER_SECONDS = 0.9
"""How long a looked-up key is believed: a revoked key is refused within a second."""
MAX_REMEMBERED = 10_000


class KeyCache:
    """Looks keys up, remembering each, unknown ones too, for less than a second."""

    def __init__(self, database: AsyncConnectionPool) -> None:
        self._database = database
        self._remembered: dict[str, tuple[float, Principal | None]] = {}
        self._noted: dict[UUID, float] = {}

    async def authenticate(self, headers: Headers) -> Principal:
        """The caller.

        Raises:
            ApiError: 401, in the same words whatever is wrong with the key.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise missing_key()
        parts = keys.split(token.strip())
        if parts is None:
            raise invalid_key()
        public_id, secret = parts
        principal = await self._look_up(public_id)
        if principal is None or not keys.verify(principal, secret) or principal.expired(timezone.now()):
            raise invalid_key()
        await self._note_use(principal.key_id)
        return principal

    async def _look_up(self, public_id: str) -> Principal | None:
        now = time.monotonic()
        until, principal = self._remembered.get(public_id, (0.0, None))
        if until <= now:
            async with self._database.connection() as connection:
                principal = await keys.look_up(connection, public_id)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[public_id] = (now + REMEMBER_SECONDS, principal)
        return principal

    async def _note_use(self, key_id: UUID) -> None:
        now = time.monotonic()
        if now - self._noted.get(key_id, -keys.LAST_USED_RESOLUTION_SECONDS) >= keys.LAST_USED_RESOLUTION_SECONDS:
            if len(self._noted) >= MAX_REMEMBERED:
                self._noted.clear()
            self._noted[key_id] = now
            async with self._database.connection() as connection:
                await keys.note_use(connection, key_id)
