"""Where a call comes from, past the proxies that are ours."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import Scope


def client_of(scope: Scope, *, proxies: int) -> str | None:
    """The client's address; None over a unix socket, and for what is no address.

    Each proxy adds the address it was asked from at the end of X-Forwarded-For. So of what stands there, the last
    `proxies` entries are ours to believe and the first of these is the client; whatever stands before it, the
    client may have written.
    """
    peer: str | None = (scope.get("client") or (None,))[0]
    if proxies:
        forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        peer = forwarded[-proxies].strip() if len(forwarded) >= proxies else None
    try:
        return str(ipaddress.ip_address(peer or ""))
    except ValueError:
        return None
