"""HTTP trailers for uvicorn, which has none: the ASGI extension `http.response.trailers`
(https://asgi.readthedocs.io/en/latest/extensions.html#http-trailers).

What is known only at the end of a chunked answer, such as its price, follows the last chunk (RFC 9112, 7.1.2).
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

EXTENSION = "http.response.trailers"
_END = b"0\r\n\r\n"


class Trailers:
    """Offers the extension to `app` for one request, which `cycle` answers."""

    def __init__(self, app: ASGIApp, cycle: RequestResponseCycle) -> None:
        self._app = app
        self._cycle = cycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        announced = False

        async def send_with_trailers(message: Message) -> None:
            nonlocal announced
            if message["type"] == "http.response.start":
                announced = message.get("trailers", False)
            if message["type"] == "http.response.body" and announced and not message.get("more_body", False):
                message = {**message, "more_body": True}  # the end comes with the trailers
            if message["type"] == EXTENSION:
                await self._end(message, send)
            else:
                await send(message)

        scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: {}}
        await self._app(scope, receive, send_with_trailers)

    async def _end(self, message: Message, send: Send) -> None:
        cycle = self._cycle
        if cycle.chunked_encoding:
            cycle.transport = cast("asyncio.Transport", _Ending(cycle.transport, message["headers"]))
        await send({"type": "http.response.body", "body": b""})


class _Ending:
    """A transport that puts the trailers into the end of a chunked body, which uvicorn writes as `_END`."""

    def __init__(self, transport: asyncio.Transport, headers: list[tuple[bytes, bytes]]) -> None:
        self._transport = transport
        self._lines = b"".join(b"%b: %b\r\n" % header for header in headers)

    def write(self, data: bytes) -> None:
        self._transport.write(b"0\r\n" + self._lines + b"\r\n" if data == _END else data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
