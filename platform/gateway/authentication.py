"""Who is calling: `Authorization: Bearer sk-<public id>-<secret>`."""

from __future__ import annotations

import time
from uuid import UUID

from django.utils import timezone
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection

from accounts import keys
from accounts.keys import Principal
from accounts.models import ApiKey
from gateway.errors import account_deactivated, invalid_key, missing_key, missing_scope, wrong_address

REMEMBER_SECONDS = 0.9
"""How long a looked-up key is believed: a revoked key is refused within a second."""
MAX_REMEMBERED = 10_000

SCOPES = {"/v1/models": None, "/v1/key": None, "/v1/requests": None, "/v1/usage": ApiKey.Scope.USAGE}
"""The scope that a route, with all below it, asks of a key; None is open to each. What is not here is speech."""


def scope_of(path: str) -> str | None:
    route = "/".join(path.split("/")[:3])
    scope = SCOPES.get(route, ApiKey.Scope.SPEECH)
    return scope and scope.value


class KeyCache:
    """Looks keys up, remembering each, unknown ones too, for less than a second."""

    def __init__(self, database: AsyncConnectionPool) -> None:
        self._database = database
        self._remembered: dict[str, tuple[float, Principal | None]] = {}
        self._noted: dict[UUID, float] = {}

    async def authenticate(self, request: HTTPConnection) -> Principal:
        """The caller, whose key may be used for this and from there; the request's row names whose it is.

        Raises:
            ApiError: 401, in the same words whatever is wrong with the key; 401 and 403 for a good key out of its
                reach, or of a suspended organization.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise missing_key()
        parts = keys.split(token.strip())
        if parts is None:
            raise invalid_key()
        public_id, secret = parts
        principal = await self._look_up(public_id)
        if principal is None or not keys.verify(principal, secret) or principal.expired(timezone.now()):
            raise invalid_key()
        row = request.state.row
        row.organization_id, row.api_key_id = principal.organization_id, principal.key_id
        if not principal.allows(request.client.host if request.client else None):
            raise wrong_address()
        if principal.suspended:
            raise account_deactivated()
        scope = scope_of(request.scope["path"])
        if scope is not None and scope not in principal.reach.scopes:
            raise missing_scope(scope)
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
