"""How large a request's body may be: counted in front of every route, whether it exists or not, because Django
writes a body to the disk before it looks for its route.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from django.conf import settings
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import ApiError, body_too_large

WITH_AUDIO_BYTES = 25_000_000
"""Of a body that carries recordings; JSON without them stays within MAX_BODY_BYTES (see `gateway.parsing`)."""
FORM_BYTES = 11 << 20
"""Of a form with a recording, which has at most 10 MiB."""
UPLOAD_BYTES = 200_100_000
"""Of a form with a file of at most 200 MB (see `gateway.batches.files`), which is spooled to the disk."""
LIMITS: dict[str, int] = {
    "/stripe/webhook": 262_144,
    "/v1/chat/completions": WITH_AUDIO_BYTES,
    "/v1/files": UPLOAD_BYTES,
}
"""Bytes, by the beginning of a path; the longest that fits counts. All others have MAX_BODY_BYTES.

Stripe's events are some kilobytes.
"""
FORMS = re.compile(r"/v1/audio/(voices|voice_consents)|/console/[^/]+/voices/(new|consent)")
"""The paths, whole, that take a form with a recording."""


def limit_of(path: str) -> int:
    """The most bytes that a body to this path may have."""
    if FORMS.fullmatch(path):
        return FORM_BYTES
    fitting = [prefix for prefix in LIMITS if path.startswith(prefix)]
    return LIMITS[max(fitting, key=len)] if fitting else int(settings.ENVIRONMENT.max_body_bytes)


class BodyLimit:
    """Refuses a body by its Content-Length, before anything is read, and a chunked one once it has grown too long.

    Below /v1 the refusal waits until the route asks for the body: by then it knows whose call this is, so that the
    customer finds it in the request log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ApiError: 413 below /v1, where errors are the API's; elsewhere the answer is a plain page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        is_api = scope["path"].startswith("/v1/")
        left = limit - _declared(scope) if _declared(scope) > limit else limit
        started = False

        async def counted() -> Message:
            nonlocal left
            if left < 0:
                raise body_too_large(limit)
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise body_too_large(limit)
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            if left < 0 and not is_api:
                raise body_too_large(limit)
            await self._app(scope, counted, watched)
        except ApiError as refusal:
            if refusal.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or started or is_api:
                raise
            await PlainTextResponse(refusal.message, refusal.status)(scope, receive, send)


def _declared(scope: Scope) -> int:
    """Content-Length, which the server has checked to be a number; 0 where there is none."""
    return int(Headers(scope=scope).get("content-length", "0"))
