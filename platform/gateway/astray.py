"""Requests that look for the API where it is not: a client's base URL is wrong, and JSON says what is right.

Such as /v1 alone, /audio/speech without /v1, /v1/v1/audio/speech, /openai/deployments/NAME/audio/speech, or any
other path to which a client sends its key.
"""

from __future__ import annotations

import re

from django.conf import settings
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from gateway.errors import ApiError, not_found

_MEANT = re.compile(r"/(chat/completions|audio/(?:speech|voices|models)|models|voices|openapi\.json)/*\Z")
"""The end of a path that means a route of the API."""
_SLASHES = re.compile("/+")
_KEYS = frozenset({b"api-key", b"x-api-key", b"xi-api-key"})
"""Headers in which other APIs take a key. Browsers send none of them for a page, nor a bearer's token."""
_PAGES = "/console/"
"""Below it are pages whose addresses may end like that."""


def refusal(path: str) -> ApiError:
    """The 404 for a path that is no route, with the base URL and the route that was probably meant."""
    meant = _MEANT.search(_SLASHES.sub("/", path))
    said = f" Did you mean {_base()}/{meant[1]}?" if meant else ""
    return not_found(f"Not Found: there is no such route here. The API is at {_base()}.{said}")


class Guide:
    """Answers what was meant for the API in its error envelope; all else is for `app`, which has the pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # no page has one
            await WebSocketClose()(scope, receive, send)
            return
        if scope["type"] == "http" and _is_astray(scope):
            raise refusal(scope["path"])
        await self._app(scope, receive, send)


def _is_astray(scope: Scope) -> bool:
    path = scope["path"]
    if path.startswith(_PAGES):
        return False
    return path == "/v1" or _MEANT.search(path) is not None or any(map(_has_key, scope["headers"]))


def _has_key(header: tuple[bytes, bytes]) -> bool:
    name, value = header
    return name in _KEYS or (name == b"authorization" and value[:7].lower() == b"bearer ")


def _base() -> str:
    return f"{settings.ENVIRONMENT.origin}/v1"
