"""Which pronunciation dictionary a request is spoken by: the one that it names, or its key's."""

from __future__ import annotations

import time
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from gateway.errors import ApiError, not_found
from inference import pronunciations

PREFIX = "pd_"
NONE = "none"
REMEMBER_SECONDS = 0.9
"""How long a key's default is believed, as its other settings are."""
MAX_REMEMBERED = 10_000


class Pronunciations:
    """Finds versions, and remembers the default of each key for less than a second."""

    def __init__(self, database: AsyncConnectionPool) -> None:
        self._database = database
        self._defaults: dict[UUID, tuple[float, UUID | None]] = {}

    async def find(self, principal: Principal, asked: str) -> UUID | None:
        """The id of the version; None for none.

        Args:
            asked: `pd_…`, `pd_…:3`, `none`, or "" for the key's default.

        Raises:
            ApiError: 404 for what is unknown or another organization's.
        """
        if not asked:
            return await self._default_of(principal.key_id)
        if asked == NONE:
            return None
        name, colon, number = asked.partition(":")
        dictionary_id = parse_prefixed(PREFIX, name)
        is_numbered = number.isascii() and number.isdecimal() and len(number) < 10
        if dictionary_id is None or (colon and not is_numbered):
            raise unknown(asked, param="pronunciation")
        async with self._database.connection() as connection:
            found = await pronunciations.find(
                connection,
                dictionary_id,
                organization_id=principal.organization_id,
                number=int(number) if colon else None,
            )
        if found is None:
            raise unknown(asked, param="pronunciation")
        return found

    async def _default_of(self, key_id: UUID) -> UUID | None:
        now = time.monotonic()
        until, found = self._defaults.get(key_id, (0.0, None))
        if until <= now:
            async with self._database.connection() as connection:
                found = await pronunciations.default_of(connection, key_id)
            if len(self._defaults) >= MAX_REMEMBERED:
                self._defaults.clear()
            self._defaults[key_id] = (now + REMEMBER_SECONDS, found)
        return found


def unknown(name: str, *, param: str) -> ApiError:
    return not_found(
        f"No pronunciation dictionary with id {name[:100]!r}.", code="pronunciation_not_found", param=param
    )
