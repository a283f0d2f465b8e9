"""Who is calling: `Authorization: Bearer sk-<public id>-<secret>`."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import UUID

from django.utils import timezone
from psycopg_pool import AsyncConnectionPool
from starlette.requests import HTTPConnection

from accounts import keys
from accounts.client_secrets import ClientSecret
from accounts.keys import Principal, Reach
from accounts.models import ApiKey
from gateway.errors import (
    account_deactivated,
    invalid_key,
    missing_key,
    missing_scope,
    wrong_address,
    wrong_origin,
)

REMEMBER_SECONDS = 0.9
"""How long a looked-up key is believed: a revoked key is refused within a second."""
MAX_REMEMBERED = 10_000

SCOPES = {
    "/v1/models": None,
    "/v1/key": None,
    "/v1/requests": None,
    "/v1/usage": ApiKey.Scope.USAGE,
    "/v1/organization": ApiKey.Scope.ADMIN,
}
"""The scope that a route, with all below it, asks of a key; None is open to each. What is not here is speech."""


OF_CLIENT_SECRETS = ("/v1/audio", "/v1/chat", "/v1/models", "/v1/voices")
"""The routes that a client secret is good for."""


def scope_of(path: str) -> str | None:
    scope = SCOPES.get(_route_of(path), ApiKey.Scope.SPEECH)
    return scope and scope.value


def _route_of(path: str) -> str:
    return "/".join(path.split("/")[:3])


async def caller(request: HTTPConnection) -> Principal:
    """Who sent a request of this gateway. Raises ApiError, as `KeyCache.authenticate` does."""
    known: KeyCache = request.state.service.keys
    return await known.authenticate(request)


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
        temporary = ClientSecret.read(token.strip())
        principal = await (self._by_secret(temporary) if temporary else self._by_key(token.strip()))
        row = request.state.row
        row.organization_id, row.api_key_id = principal.organization_id, principal.key_id
        if temporary and not temporary.allows(request.headers.get("origin")):
            raise wrong_origin()
        if not principal.allows(request.client.host if request.client else None):
            raise wrong_address()
        if principal.suspended:
            raise account_deactivated()
        scope = scope_of(request.scope["path"])
        if scope is not None and scope not in principal.reach.scopes:
            raise missing_scope(scope)
        if temporary and _route_of(request.scope["path"]) not in OF_CLIENT_SECRETS:
            raise missing_scope("an API key's own")
        await self._note_use(principal.key_id)
        return principal

    async def _by_key(self, token: str) -> Principal:
        """The caller that shows a key. Raises ApiError: 401, it is none that works."""
        parts = keys.split(token)
        principal = await self._look_up(parts[0]) if parts else None
        if parts is None or principal is None or not keys.verify(principal, parts[1]):
            raise invalid_key()
        if principal.expired(timezone.now()):
            raise invalid_key()
        return principal

    async def _by_secret(self, secret: ClientSecret) -> Principal:
        """The caller that shows a client secret, which works for speech, and from wherever its page is.

        Raises:
            ApiError: 401, it or its key works no longer.
        """
        principal, now = await self._look_up(secret.public_id), timezone.now()
        if principal is None or secret.expires_at <= now or principal.expired(now):
            raise invalid_key()
        scopes = tuple(scope for scope in principal.reach.scopes if scope == ApiKey.Scope.SPEECH)
        return replace(principal, reach=Reach(scopes), expires_at=secret.expires_at, temporary=True)

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
