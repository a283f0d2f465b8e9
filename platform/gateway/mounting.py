"""What a route of /v1 is, and how it is mounted: in front of Django, or handed on to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import HTTPConnection
from starlette.routing import Route, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import of_status
from gateway.reference.operation import Method, Operation


class AudioId(StringConvertor):
    """Only what looks like an id of ours: a fixed word below /audio/ is no recording of that name."""

    regex = "audio_[^/]+"


register_url_convertor("audio_id", AudioId())
DJANGO = None
"""The endpoint of the routes that Django answers."""


@dataclass(frozen=True, slots=True)
class V1Route:
    """A path under /v1, what answers it, and what it says of itself for each method."""

    path: str
    endpoint: Callable[..., Any] | None
    operations: Mapping[Method, Operation]
    socket: Callable[..., Any] | None = None
    """What answers a WebSocket at this path, where there is one."""

    @property
    def path_format(self) -> str:
        """The path without Starlette's converters: {model:path} is {model}."""
        return compile_path(self.path)[1]

    def mounted(self, django: ASGIApp, allowed: Collection[str]) -> Route:
        """Mount it.

        Args:
            allowed: the methods of its path, those of another route there among them.
        """
        if self.endpoint is DJANGO:
            # Any method, or a caller without a key would learn which ones there are.
            return Route(self.path, Managed(django, allowed))
        return Route(self.path, self.endpoint, methods=[*self.operations])


class Managed:
    """Hands a /v1 request on to Django once its caller is known: `state` carries the principal there."""

    def __init__(self, django: ASGIApp, allowed: Collection[str]) -> None:
        self._django = django
        self._allowed = {*allowed, "OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        state["principal"] = await state["service"].keys.authenticate(HTTPConnection(scope))
        if scope["method"] not in self._allowed:
            raise of_status(405, {"allow": ", ".join(sorted(self._allowed))})
        await self._django({**scope, "root_path": ""}, receive, send)
