"""A service of a test's own over the session's database, with bounds that a test can reach."""

from __future__ import annotations

import socket
from pathlib import Path

from django.conf import settings

from tests.live import Service


def environment() -> dict[str, str]:
    """What a process needs to serve the session's database and Valkey."""
    database = settings.DATABASES["default"]
    return {
        "DATABASE_URL": f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "API_KEY_PEPPERS": ",".join(f"{n}:{p.hex()}" for n, p in settings.API_KEY_PEPPERS.items()),
    }


def resident_bytes(service: Service) -> int:
    """The gateway's memory."""
    assert service.gateway
    pages = int(Path(f"/proc/{service.gateway.pid}/statm").read_text().split()[1])
    return pages * 4096


def connect(service: Service) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def rest_of(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionError:
        pass  # closed before it had read everything
    return received
