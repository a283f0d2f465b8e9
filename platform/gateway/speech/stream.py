"""WebSocket /v1/audio/speech/stream: text in as it is written, audio out as it is spoken.

A socket has several contexts, each a text that is spoken in order, sentence by sentence; contexts are spoken
beside each other. The messages are after ElevenLabs' stream-input and Cartesia's contexts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, cast

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.door import addresses
from gateway.errors import ApiError, invalid
from gateway.parsing import parse
from gateway.recorder import new_row
from gateway.service import Service
from gateway.speech import stream_messages
from gateway.speech.stream_context import StreamContext
from gateway.speech.stream_messages import StreamMessage
from gateway.speech.stream_sentence import METHOD

MOST_CONTEXTS = 20
"""Of one socket, at a time."""
MOST_ERRORS = 20
"""Messages that make no sense, after which the socket is closed."""
SUBPROTOCOL = "speech"
KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""How a browser sends a key: it cannot set headers. OpenAI's Realtime API has the same."""
IDLE, PROTOCOL_ERROR, UNREAD = 4408, 1008, 4409
"""Codes that the socket is closed with: nothing came for too long; too much made no sense; nobody reads."""


class StreamQuery(BaseModel):
    """The query string of the socket."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    inactivity_timeout: Annotated[int, Field(ge=5, le=600)] = 60
    """Seconds without a message, while nothing is spoken, after which the socket is closed. Any message counts,
    such as `{"text": " "}`."""


def no_socket() -> ApiError:
    return ApiError(
        426,
        "Upgrade Required: connect with a WebSocket.",
        code="upgrade_required",
        headers={"upgrade": "websocket", "connection": "upgrade"},
    )


async def upgrade_required(request: Request) -> Response:
    """GET without an upgrade, by a caller that is known. Raises ApiError: 426."""
    service: Service = request.state.service
    await service.keys.authenticate(request)
    raise no_socket()


async def stream_speech(websocket: WebSocket) -> None:
    """Serve one socket until either side closes it. Nothing is spoken or billed after that."""
    scope = websocket.scope
    address = addresses.of(scope)
    scope["client"] = (address, 0) if address else None
    _take_key_from_subprotocol(scope)
    service: Service = websocket.state.service
    websocket.state.row = new_row(scope, address, method=METHOD)  # of the handshake, which is not logged
    try:
        asked = parse(StreamQuery, dict(websocket.query_params))
        await service.keys.authenticate(websocket)
    except ApiError as refusal:
        await websocket.send_denial_response(refusal.response())
        return
    offered = cast("list[str]", scope.get("subprotocols", ()))
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    await _Socket(service, websocket, idle_seconds=asked.inactivity_timeout).serve()


class _Socket:
    def __init__(self, service: Service, websocket: WebSocket, *, idle_seconds: float) -> None:
        self._service = service
        self._websocket = websocket
        self._idle_seconds = idle_seconds
        self._contexts: dict[str, StreamContext] = {}
        self._errors = 0
        self._sending = asyncio.Lock()

    async def serve(self) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(self._idle_seconds):
                        text = await self._received()
                except TimeoutError:
                    if any(context.is_speaking for context in self._contexts.values()):
                        continue
                    await self._close(IDLE, "nothing came for too long")
                    return
                await self._take(text)
                if self._errors >= MOST_ERRORS:
                    await self._close(PROTOCOL_ERROR, "too many messages made no sense")
                    return
        except WebSocketDisconnect:
            return
        finally:
            await self._stop_all()

    async def send(self, message: str) -> None:
        """Send a message; waits while the client does not read. One that reads nothing for too long is closed.

        Raises:
            WebSocketDisconnect: the client has gone.
        """
        async with self._sending:
            try:
                async with asyncio.timeout(settings.ENVIRONMENT.write_seconds):
                    await self._websocket.send_text(message)
            except TimeoutError:
                await self._close(UNREAD, "nobody reads")
                raise WebSocketDisconnect(UNREAD) from None

    async def _received(self) -> str:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return text if text is not None else ""

    async def _take(self, text: str) -> None:
        context_id = ""
        try:
            try:
                data = from_json(text, allow_inf_nan=False)
            except ValueError:
                raise invalid("A message must be a JSON object, as text.", code="invalid_json") from None
            if isinstance(data, dict) and isinstance(data.get("context_id"), str):
                context_id = data["context_id"][:64]
            message = parse(StreamMessage, data)
            await self._hand_on(message)
        except ApiError as refusal:
            self._errors += 1
            await self.send(stream_messages.error(context_id, refusal))

    async def _hand_on(self, message: StreamMessage) -> None:
        """Give the message to its context. Raises ApiError: it makes no sense there."""
        context = self._contexts.get(message.context_id)
        if context is None:
            if message.cancel or (not message.settings and not (message.text or "").strip()):
                return  # of a context that has ended, or a sign of life
            if len(self._contexts) >= MOST_CONTEXTS:
                raise invalid(
                    f"A socket has at most {MOST_CONTEXTS} contexts at a time.",
                    param="context_id",
                    code="too_many_contexts",
                )
            offered = await self._service.workers.voices()
            context = StreamContext(
                self._service, HTTPConnection(self._websocket.scope), message, offered, self.send
            )
            context.start(lambda: self._contexts.pop(message.context_id, None))
            self._contexts[message.context_id] = context
        elif message.settings:
            raise stream_messages.settings_are_fixed(next(iter(message.settings)))
        context.take(message)

    async def _stop_all(self) -> None:
        """End what is spoken: nobody hears it."""
        contexts = list(self._contexts.values())
        for context in contexts:
            context.cancel()
        await asyncio.gather(*(context.ended() for context in contexts), return_exceptions=True)

    async def _close(self, code: int, reason: str) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):
            await self._websocket.close(code, reason)


def _take_key_from_subprotocol(scope: Scope) -> None:
    """Make a browser's key the header that any other client sends."""
    if "authorization" in Headers(scope=scope):
        return
    for each in scope.get("subprotocols", ()):
        if each.startswith(KEY_SUBPROTOCOL):
            key = each.removeprefix(KEY_SUBPROTOCOL)
            scope["headers"] = [
                *scope["headers"],
                (b"authorization", f"Bearer {key}".encode("latin-1", "replace")),
            ]
            return
