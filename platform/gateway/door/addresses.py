"""Where a call comes from, past the proxies that are ours. Whoever needs the client's address asks here: keys that
are fenced to networks, the limits of connections, the request log and, by REMOTE_ADDR, Django's pages.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from starlette.datastructures import Headers
from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def of(scope: Scope) -> str | None:
    """The client's address, as PROXIES and TRUSTED_PROXIES have it."""
    return client_of(scope, proxies=settings.PROXIES, trusted=settings.TRUSTED_PROXIES)


def client_of(scope: Scope, *, proxies: int, trusted: Sequence[Network]) -> str | None:
    """The client's address; None over a unix socket, and for what is no address.

    X-Forwarded-For is read only where the peer, who opened the connection, is a trusted proxy. Each proxy adds the
    address it was asked from at the end. So of what stands there, the last `proxies` entries are ours to believe
    and the first of these is the client; whatever stands before it, the client may have written.
    """
    peer: str | None = (scope.get("client") or (None,))[0]
    if proxies and is_trusted(peer, trusted):
        forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        peer = forwarded[-proxies].strip() if len(forwarded) >= proxies else None
    try:
        return str(_parsed(peer or ""))
    except ValueError:
        return None


def scheme_of(scope: Scope) -> str:
    """How the client speaks to us or to our proxy: "https" or "http".

    With an https PUBLIC_URL it is https unless a trusted proxy says otherwise: one that says nothing must not lead
    to a redirection without end.
    """
    said = Headers(scope=scope).get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    peer = (scope.get("client") or (None,))[0]
    if said in ("http", "https") and settings.PROXIES and is_trusted(peer, settings.TRUSTED_PROXIES):
        return said
    return "https" if settings.HTTPS else str(scope["scheme"])


def is_trusted(peer: str | None, trusted: Sequence[Network]) -> bool:
    """Whether the peer of a connection is one of our proxies."""
    try:
        address = _parsed(peer or "")
    except ValueError:
        return False
    return any(address in network for network in trusted)


def household(address: str) -> str:
    """What one client can have many of: an IPv4 address, or the /64 that an IPv6 subscriber gets at least."""
    parsed = _parsed(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 client of a socket for both families (::ffff:192.0.2.1) is that IPv4 address."""
    parsed = ipaddress.ip_address(address)
    return getattr(parsed, "ipv4_mapped", None) or parsed
