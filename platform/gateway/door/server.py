"""The HTTP server's connections, bounded: uvicorn's protocol on httptools with what uvicorn leaves open.

uvicorn limits neither the size of a request's head nor the time that a client takes to send or to read. One
connection could take all memory, and a few hundred all connections. Here a head has a size and a time, a body and
an answer each have a longest pause and a lowest average rate, and connections are counted, in all and by client.
What is refused gets OpenAI's error envelope as long as no answer has begun; then the connection closes.

Each connection looks at its times twice a second; its pieces set no timers.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import termios
from array import array
from collections import Counter, deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from django.conf import settings
from prometheus_client import Counter as Metric
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.door import addresses
from gateway.door.sockets import CountedSocket
from gateway.door.trailers import Trailers
from gateway.errors import ApiError, unavailable

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

MAX_HEADERS = 100
MIN_BYTES_PER_SECOND = 1_024
"""Of a body, and of an answer that the client does not keep up with; on the average, after the longest pause."""
LINGER_SECONDS = 2.0
"""How long what still comes is discarded after an early answer: an immediate close could lose that answer."""
CHECK_SECONDS = 0.5
"""How exact the times are."""

REFUSED = Metric("speech_connections_refused", "Connections that the server broke off, by reason.", ["reason"])

# What uvicorn says of what strangers send would fill the log.
_log = logging.getLogger("gateway.door.server")


@dataclass(slots=True)
class _Unread:
    """An answer that waits in memory for its client to read it."""

    since: float
    first: int
    """Bytes, then."""
    last: int
    """Bytes, when last looked at."""
    moved_at: float
    """When it last became less."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    open_connections: ClassVar[int] = 0
    by_client: ClassVar[Counter[str]] = Counter()
    """Connections of each client; of one behind a trusted proxy, the requests that are being served."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = _log
        self._bounds = settings.ENVIRONMENT
        self._stage: Literal["head", "body", "between", "refused"] = "head"
        self._refusal: ApiError | None = None
        self._counted: deque[str] = deque()
        self._by_proxy = False
        self._head_since = self._checked_at = self.loop.time()
        self._head_bytes = 0
        self._headers_seen = 0
        self._undelivered = 0
        self._body_bytes = 0
        self._body_seconds = 0.0
        self._body_paused = 0.0
        self._linger_until: float | None = None
        self._unread: _Unread | None = None
        self._timer: asyncio.TimerHandle | None = None

    # --- The connection ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        BoundedProtocol.open_connections += 1
        self._check_later()
        peer = self.client[0] if self.client else None
        self._by_proxy = bool(settings.PROXIES) and addresses.is_trusted(peer, settings.TRUSTED_PROXIES)
        if BoundedProtocol.open_connections > self._bounds.max_connections:
            self._refuse("connections", _too_many_connections())
        elif not self._by_proxy and not self._count(peer):
            self._refuse("address", _too_many_from_you())

    def connection_lost(self, exc: Exception | None) -> None:
        self._release()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on to a WebSocket's protocol. It counts until it closes; its times are that
        one's."""
        if self.app is not self.config.loaded_app:  # too many of one address
            self._refuse("address", _too_many_from_you())
            return
        super().handle_websocket_upgrade()
        if isinstance(socket := self.transport.get_protocol(), CountedSocket):
            socket.on_lost = self._release
        if self._timer is not None:
            self._timer.cancel()

    def _release(self) -> None:
        """The connection is no more."""
        BoundedProtocol.open_connections -= 1
        while self._counted:
            self._discount()
        if self._timer is not None:
            self._timer.cancel()

    # --- What comes in ---

    def data_received(self, data: bytes) -> None:
        if self._stage == "refused":
            return
        if self._stage == "between":
            self._stage, self._head_since = "head", self.loop.time()
        before, self._undelivered = self._undelivered, -1
        super().data_received(data)
        if self._undelivered < 0:  # the parser keeps it all for itself: a line of the head, or of what ends a body
            self._undelivered = before + len(data)
            if self._undelivered > self._bounds.max_header_bytes:
                self._refuse("head_too_large", self._head_too_large())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stage = "head"
        self._head_bytes = self._headers_seen = 0

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._stage == "body":
            return  # what comes behind a chunked body is no header: nobody asked for trailers
        self._head_bytes += len(name) + len(value) + 4
        self._headers_seen += 1
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._undelivered = 0
        if self._head_bytes > self._bounds.max_header_bytes or self._headers_seen > MAX_HEADERS:
            self._refusal = self._head_too_large()
            raise ValueError  # uvicorn answers through `send_400_response`
        self._stage = "body"
        self._body_bytes, self._body_seconds, self._body_paused = 0, 0.0, 0.0
        self.app = cast("ASGI3Application", self._app_for_this_request())
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        offering = Trailers(cast("ASGIApp", app), cycle)
        super()._start_asgi_task(cycle, cast("ASGI3Application", offering))

    def on_body(self, body: bytes) -> None:
        self._undelivered = 0
        self._body_bytes += len(body)
        self._body_paused = 0.0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._undelivered = 0
        self._stage = "between"
        self._linger_until = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self._by_proxy and self._counted:
            self._discount()
        if self._stage == "body":  # answered before it was read: the rest is of no use
            self._linger_until = self.loop.time() + LINGER_SECONDS
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        refusal = self._refusal or ApiError(HTTPStatus.BAD_REQUEST, msg, code="invalid_http")
        self._refuse("head_too_large" if self._refusal else "invalid_http", refusal)

    def _head_too_large(self) -> ApiError:
        return ApiError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"The request's headers are larger than the {self._bounds.max_header_bytes} bytes, or more than the "
            f"{MAX_HEADERS} headers, allowed.",
            code="headers_too_large",
        )

    # --- How many there are of one client ---

    def _app_for_this_request(self) -> ASGIApp:
        app = cast("ASGIApp", self.config.loaded_app)
        if not self._by_proxy:
            return app
        address = addresses.of(cast("Scope", self.scope))
        if self._count(address):
            return app
        REFUSED.labels("address").inc()
        return _answering(_too_many_from_you())

    def _count(self, address: str | None) -> bool:
        """Count one more connection of this address; returns whether it may have it. None is not limited."""
        client = addresses.household(address) if address else ""
        self._counted.append(client)
        BoundedProtocol.by_client[client] += 1
        return not client or BoundedProtocol.by_client[client] <= self._bounds.max_connections_per_address

    def _discount(self) -> None:
        client = self._counted.popleft()
        BoundedProtocol.by_client[client] -= 1
        if not BoundedProtocol.by_client[client]:
            del BoundedProtocol.by_client[client]

    # --- Time ---

    def _check_later(self) -> None:
        bounds = self._bounds
        shortest = min(bounds.head_seconds, bounds.body_seconds, bounds.write_seconds)
        self._timer = self.loop.call_later(min(CHECK_SECONDS, shortest / 4), self._check)

    def _check(self) -> None:
        now = self.loop.time()
        passed, self._checked_at = now - self._checked_at, now
        if self._is_unread_for_too_long(now):
            REFUSED.labels("slow_reader").inc()
            self.transport.abort()
            return
        self._check_later()
        if self.transport.is_closing():
            return
        if self._linger_until is not None:
            if now > self._linger_until:
                self.transport.close()
        elif self._stage == "head":
            if now - self._head_since > self._bounds.head_seconds and not self._is_answering():
                self._refuse("head_too_slow", _too_slow("headers"))
        elif self._stage == "body" and not self.flow.read_paused:  # while we do not read, the client cannot send
            self._body_seconds += passed
            self._body_paused += passed
            due = (self._body_seconds - self._bounds.body_seconds) * MIN_BYTES_PER_SECOND
            if self._body_paused > self._bounds.body_seconds or self._body_bytes < due:
                self._refuse("body_too_slow", _too_slow("body"))

    def _is_unread_for_too_long(self, now: float) -> bool:
        """Whether the client reads little or nothing of the data that is ready for it."""
        buffered = self.transport.get_write_buffer_size()
        blocked = self.flow.write_paused or not self._is_answering()
        if not buffered or not blocked:
            self._unread = None
            return False
        waiting = buffered + _in_kernel(self.transport)
        unread = self._unread
        if unread is None or waiting > unread.last:  # nothing yet, or more was written
            self._unread = _Unread(now, waiting, waiting, now)
            return False
        if waiting < unread.last:
            unread.last, unread.moved_at = waiting, now
        due = (now - unread.since - self._bounds.write_seconds) * MIN_BYTES_PER_SECOND
        return now - unread.moved_at > self._bounds.write_seconds or unread.first - waiting < due

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # --- Refusing ---

    def _refuse(self, reason: str, refusal: ApiError) -> None:
        """Answer, where no other answer is on its way, and close."""
        if self._stage == "refused" or self.transport.is_closing():
            return
        REFUSED.labels(reason).inc()
        of_this_request = self._stage == "body" and not self.pipeline and not self.cycle.response_started
        self._stage = "refused"
        if self._is_answering() and not of_this_request:
            self.transport.abort()
            return
        if self._is_answering():  # whoever waits for the body learns that no more will come
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.transport.write(_as_bytes(refusal))
        if reason == "connections":  # no room to linger
            self.transport.close()
        elif self.transport.can_write_eof():
            self.transport.write_eof()
        self._linger_until = self.loop.time() + LINGER_SECONDS


def _in_kernel(transport: asyncio.Transport) -> int:
    """Bytes that the kernel keeps for the client. It holds megabytes and takes more only in large pieces, so that
    our own buffer alone would show no progress of a slow client for many seconds."""
    waiting = array("i", [0])
    try:
        fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, waiting)
    except OSError:  # not Linux
        return 0
    return waiting[0]


def _too_many_connections() -> ApiError:
    return unavailable(
        "The service has all the connections that it can serve. Please try again shortly.",
        code="too_many_connections",
        retry_after_seconds=2,
    )


def _too_many_from_you() -> ApiError:
    return ApiError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "There are too many connections from your address at once.",
        code="too_many_connections",
        type="requests",
        headers={"retry-after": "1"},
        retry=True,
    )


def _too_slow(what: str) -> ApiError:
    return ApiError(
        HTTPStatus.REQUEST_TIMEOUT, f"The request's {what} came too slowly.", code="request_timeout", retry=True
    )


def _answering(refusal: ApiError) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await refusal.response()(scope, receive, send)

    return answer


def _as_bytes(refusal: ApiError) -> bytes:
    body = refusal.body().encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **refusal.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")
    return STATUS_LINE[int(refusal.status)] + lines + b"\r\n" + body
