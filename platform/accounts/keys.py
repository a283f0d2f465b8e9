"""API keys: `sk-<public id>-<secret>`.

Only HMAC-SHA-256(pepper, secret) is stored, with the number of the pepper, so that a leaked database holds no
usable key and a pepper can be replaced while older keys live on. The secret has 43 characters of 62, 256 bits,
so a fast MAC is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from accounts.identifiers import random_token
from accounts.limits import LIMITS, Limits
from accounts.models import ApiKey, Organization, ServiceAccount

PUBLIC_ID_LENGTH = 16
SECRET_LENGTH = 43

LAST_USED_RESOLUTION_SECONDS = 60
UNSTORED_SECONDS = 60
"""How long audio that is not to be stored waits for a client whose connection broke."""


class Reach(NamedTuple):
    """The permissions of a key, the networks that it works from (without any, from all), and whether its requests'
    audio is kept."""

    scopes: tuple[str, ...] = (ApiKey.Scope.SPEECH.value, ApiKey.Scope.USAGE.value)
    allowed_addresses: tuple[str, ...] = ()
    stores_audio: bool = True


EVERYTHING = Reach()


class Secret(NamedTuple):
    """A whole key, which is shown once, and the parts that are stored."""

    whole: str
    columns: dict[str, str | int | bytes]


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: an active key and its organization."""

    key_id: UUID
    organization_id: UUID
    expires_at: datetime | None
    secret_hmac: bytes
    pepper_number: int
    key_limits: Limits = field(default_factory=dict)
    organization_limits: Limits = field(default_factory=dict)
    reach: Reach = EVERYTHING
    suspended: bool = False
    """Whether an operator suspended the organization."""
    audio_days: int | None = None
    """The organization's own retention; None for the operator's."""
    temporary: bool = False
    """Whether a client secret stands for the key: it makes speech, and nothing else."""

    def audio_seconds(self, *, store: bool | None) -> int:
        """How long the audio of a request is kept; `store` is what the request says about it."""
        if not self.stores(store):
            return UNSTORED_SECONDS
        return settings.AUDIO_TTL_SECONDS if self.audio_days is None else self.audio_days * 86_400

    def stores(self, store: bool | None) -> bool:
        """Whether audio is kept once it has been delivered: if request, key and organization all agree."""
        return store is not False and self.reach.stores_audio and self.audio_days != 0

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def allows(self, address: str | None) -> bool:
        """Whether the key works from an IP address."""
        networks = self.reach.allowed_addresses
        if not networks:
            return True
        return address is not None and any(ip_address(address) in ip_network(network) for network in networks)


def create(
    *,
    organization: Organization,
    name: str,
    expires_at: datetime | None = None,
    limits: Limits = MappingProxyType({}),
    reach: Reach = EVERYTHING,
    service_account: ServiceAccount | None = None,
) -> tuple[ApiKey, str]:
    """Create a key. The second value is the whole key, which cannot be read again."""
    secret = new_secret()
    key = ApiKey.objects.create(
        organization=organization,
        name=name,
        expires_at=expires_at,
        service_account=service_account,
        **secret.columns,
        **limits,
        **_columns(reach),
    )
    return key, secret.whole


def new_secret() -> Secret:
    """A new public id and secret."""
    public_id, secret = random_token(PUBLIC_ID_LENGTH), random_token(SECRET_LENGTH)
    pepper_number = max(settings.API_KEY_PEPPERS)
    columns: dict[str, str | int | bytes] = {
        "public_id": public_id,
        "secret_hmac": _digest(secret, pepper_number),
        "pepper_number": pepper_number,
        "last_four": secret[-4:],
    }
    return Secret(f"sk-{public_id}-{secret}", columns)


def revoke(*, public_id: str) -> bool:
    """Revoke a key now; False if no active key has this id."""
    return bool(ApiKey.objects.filter(public_id=public_id, revoked_at=None).update(revoked_at=timezone.now()))


def change(*, key: ApiKey, name: str, limits: Limits, reach: Reach) -> bool:
    """Change the name, limits and reach of an active key; False if it is no longer active."""
    live = ApiKey.objects.filter(id=key.id, revoked_at=None)
    return bool(live.update(name=name, **limits, **_columns(reach)))


def expire(*, key: ApiKey, at: datetime) -> bool:
    """Let an active key expire at a time, or at its own if that is sooner; False if it is no longer active."""
    live = ApiKey.objects.filter(id=key.id, revoked_at=None)
    return bool(live.update(expires_at=Least(Coalesce("expires_at", Value(at)), Value(at))))


def split(key: str) -> tuple[str, str] | None:
    """(public id, secret) of a well-formed key, else None."""
    prefix, _, rest = key.partition("-")
    public_id, _, secret = rest.partition("-")
    if prefix != "sk" or len(public_id) != PUBLIC_ID_LENGTH or len(secret) != SECRET_LENGTH:
        return None
    return (public_id, secret) if (public_id + secret).isascii() and (public_id + secret).isalnum() else None


def verify(principal: Principal, secret: str) -> bool:
    """Whether `secret` belongs to the looked-up key, in constant time."""
    return hmac.compare_digest(_digest(secret, principal.pepper_number), principal.secret_hmac)


_LIMITS = [limit.name for limit in LIMITS]
_LOOK_UP = f"""
SELECT key.id, key.organization_id, key.expires_at, key.secret_hmac, key.pepper_number,
       key.scopes, key.allowed_addresses, key.stores_audio, organization.suspended_at IS NOT NULL,
       organization.audio_days,
       {", ".join(f"key.{name}" for name in _LIMITS)},
       {", ".join(f"organization.{name}" for name in _LIMITS)}
FROM accounts_apikey key JOIN accounts_organization organization ON organization.id = key.organization_id
WHERE key.public_id = %s AND key.revoked_at IS NULL
"""  # noqa: S608 - our own column names


async def look_up(connection: psycopg.AsyncConnection, public_id: str) -> Principal | None:
    """The active key with this public id."""
    row = await (await connection.execute(_LOOK_UP, (public_id,))).fetchone()
    if row is None:
        return None
    id, organization_id, expires_at, secret_hmac, pepper_number, *rest = row
    scopes, addresses, stores_audio, suspended, audio_days, *limits = rest
    own = dict(zip(_LIMITS, limits[: len(_LIMITS)], strict=True))
    shared = dict(zip(_LIMITS, limits[len(_LIMITS) :], strict=True))
    return Principal(
        id,
        organization_id,
        expires_at,
        secret_hmac,
        pepper_number,
        key_limits=own,
        organization_limits=shared,
        reach=Reach(tuple(scopes), tuple(addresses), stores_audio),
        suspended=suspended,
        audio_days=audio_days,
    )


async def note_use(connection: psycopg.AsyncConnection, key_id: UUID) -> None:
    """Record that the key was used, at most once a minute, to limit writes."""
    await connection.execute(
        """
        UPDATE accounts_apikey SET last_used_at = now()
        WHERE id = %s AND coalesce(last_used_at < now() - make_interval(secs => %s), true)
        """,
        (key_id, LAST_USED_RESOLUTION_SECONDS),
    )


def _columns(reach: Reach) -> dict[str, Any]:
    columns: dict[str, Any] = reach._asdict()
    return columns | {name: list(columns[name]) for name in ("scopes", "allowed_addresses")}


def _digest(secret: str, pepper_number: int) -> bytes:
    """HMAC-SHA-256; a pepper that is no longer configured matches nothing."""
    pepper = settings.API_KEY_PEPPERS.get(pepper_number)
    return hmac.digest(pepper, secret.encode(), hashlib.sha256) if pepper else b""
