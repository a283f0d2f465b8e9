"""Where a webhook may go: only out into the Internet, however its address is written.

A customer's URL makes our machine send a request, and must not reach what only our machine can (server-side
request forgery, https://owasp.org/www-community/attacks/Server_Side_Request_Forgery). So the name is resolved
once, every address that it has must be a public one, and the connection goes to the very address that was looked
at: a name that resolves to something else a moment later gains nothing. ALERTS_PRIVATE_TARGETS opens private
networks, never what a cloud tells its machines there, their credentials among it.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

MAX_LENGTH = 500
_UNICAST = IPv6Network("2000::/3")
"""All that the Internet routes of IPv6. What lies outside wraps IPv4 addresses or belongs to a site."""
_PRIVATE = [
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7"),
    )
]
"""What ALERTS_PRIVATE_TARGETS opens. No form that wraps an IPv4 address (mapped, 6to4, NAT64) is among it."""
_METADATA = [
    ip_network(network)
    for network in (
        *("169.254.0.0/16", "fe80::/10"),  # link-local: where most clouds have it
        *("168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"),  # Azure, Alibaba, Oracle
        *("fd00:ec2::/32", "fd20:ce::/32"),  # AWS, Google
    )
]
_METADATA_NAMES = {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
_HINT = "The service's operator allows http and private addresses with ALERTS_PRIVATE_TARGETS=true."


class Refused(ValueError):
    """A URL that no message may go to; it says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts, as it is asked for."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""


def parse(url: str) -> Target:
    """Read a URL. Raises Refused for one that no webhook can have."""
    if len(url) > MAX_LENGTH or not re.fullmatch(r"[\x21-\x7e]+", url) or "\\" in url:
        raise Refused(f"Write it as https://HOST/PATH, in up to {MAX_LENGTH} plain characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Refused("Write it as https://HOST/PATH.") from None
    if parts.scheme != "https" and not (settings.ALERTS_PRIVATE_TARGETS and parts.scheme == "http"):
        raise Refused(f"It must begin with https://. {_HINT}")
    if not host or "%" in host:
        raise Refused("Write it as https://HOST/PATH.")
    if "@" in parts.netloc:
        raise Refused("No name and password: what is sent is signed instead.")
    usual = 443 if parts.scheme == "https" else 80
    port = usual if port is None else port
    # Below 1024 lie other protocols' servers, which would be spoken to; above it, people run their web servers.
    if port < 1024 and port != usual:
        raise Refused(f"Port {port} is not for webhooks: use 443, or one above 1023.")
    return Target(parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def resolve(target: Target) -> str:
    """The one address to connect to.

    Raises:
        Refused: the name has no address, or one that is not public.
    """
    name = target.host.rstrip(".")
    if name in _METADATA_NAMES or name.startswith("instance-data."):
        raise Refused(f"{name[:60]} is not an address of the public Internet.")
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(f"{target.host[:60]} has no address.") from None
    addresses = [ip_address(str(answer[4][0]).partition("%")[0]) for answer in found]
    if not addresses or not all(map(_is_allowed, addresses)):
        hint = "" if settings.ALERTS_PRIVATE_TARGETS else f" {_HINT}"
        raise Refused(f"{target.host[:60]} is not an address of the public Internet.{hint}")
    return str(addresses[0])


def _is_allowed(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in _METADATA):
        return False
    if settings.ALERTS_PRIVATE_TARGETS and any(address in network for network in _PRIVATE):
        return True
    if isinstance(address, IPv6Address):
        tunnelled = address.sixtofour is not None or address.teredo is not None
        return address.is_global and address in _UNICAST and not tunnelled
    return address.is_global and not address.is_multicast
