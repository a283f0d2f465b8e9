"""A WebSocket's connection: uvicorn's protocol, which tells the door when it has gone, and what a socket may
take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MAX_MESSAGE_BYTES = 262_144
"""Larger than any text that is taken; the connection of a larger message is closed with 1009."""
PING_SECONDS = 20.0
"""Between two pings, and how long an answer may take: a client that is gone is noticed within both."""


class CountedSocket(WebSocketsSansIOProtocol):
    """One connection after its upgrade."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on_lost: Callable[[], None] = lambda: None

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_lost()
        super().connection_lost(exc)
