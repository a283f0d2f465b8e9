"""The outermost layer: every call gets its id and its time, every failure its envelope, every call to /v1 its row
where it is known whose it is; the others are counted, so that nobody fills the disk with them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.utils import timezone
from prometheus_client import Counter
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts.identifiers import new_id
from gateway import astray
from gateway.door import addresses
from gateway.errors import ApiError, client_closed, of_status, unforeseen
from inference.failures import place_of
from usage.request_log import Row

log = logging.getLogger(__name__)

ANONYMOUS = Counter(
    "speech_anonymous_requests", "Calls to /v1 of nobody known, which are not logged.", ["route", "status"]
)


class RequestRecorder:
    """Wraps the gateway's application.

    `route_of` names a scope's route ("/v1/audio/{audio_id}"), so that the log holds no path of the client's.
    """

    def __init__(self, app: ASGIApp, route_of: Callable[[Scope], str]) -> None:
        self._app = app
        self._route_of = route_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        address = addresses.of(scope)
        scope["scheme"] = addresses.scheme_of(scope)
        scope["client"] = (address, 0) if address else None  # for all behind us, Django too
        row = new_row(scope, address, method=scope["method"][:8])
        scope["state"]["row"] = row
        scope["app"] = self  # with an "app" there, Starlette's router raises its 404 and 405 for us to answer
        answered = False

        async def send_with_headers(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                row.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = f"req_{row.id.hex}"
                headers["openai-processing-ms"] = str(_elapsed_ms(began))
                headers["openai-version"] = "2020-10-01"
                there = {name.lower() for name, _ in headers.raw}  # Django writes them with capitals
                if row.organization_id is not None and b"cache-control" not in there:
                    headers["cache-control"] = "no-store"  # it is its alone, and of this moment
                is_https = scope["scheme"] == "https"
                if is_https and settings.SECURE_HSTS_SECONDS and b"strict-transport-security" not in there:
                    headers["strict-transport-security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
            if not answered:  # Django gives up the work for a client who has gone
                raise client_closed()
        except Exception as error:
            refusal = _refusal_of(error, row, scope["path"])
            row.refuse(refusal.code, refusal.message, refusal.param)
            if not answered:  # else the server closes the connection of an answer that was begun and not ended
                await refusal.response()(scope, receive, send_with_headers)
        finally:
            row.total_ms = _elapsed_ms(began)
            if scope["path"].startswith("/v1/"):
                row.route = self._route_of(scope)
                if row.organization_id is None:
                    ANONYMOUS.labels(row.route, str(row.status)).inc()
                else:
                    scope["state"]["service"].log.add(row)


def _refusal_of(error: Exception, row: Row, path: str) -> ApiError:
    """What the client is told; what nobody foresaw is told to the operator too."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ClientDisconnect):  # before its body was here
        return client_closed()
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
        return astray.refusal(path)
    if isinstance(error, HTTPException):
        return of_status(error.status_code, error.headers)
    log.error("req_%s failed\n%s", row.id.hex, place_of(error))
    return unforeseen(error)


def new_row(scope: Scope, address: str | None, *, method: str, route: str = "") -> Row:
    """The row of a call that begins now."""
    headers = Headers(scope=scope)
    return Row(
        id=new_id(),
        created_at=timezone.now(),
        method=method,
        route=route,
        client_address=address,
        user_agent="".join(c for c in headers.get("user-agent", "")[:200] if c.isprintable()),
    )


def _elapsed_ms(since: float) -> int:
    return round((time.perf_counter() - since) * 1000)
