"""The gateway's application: the speech routes run here, in front of Django, because Django's ASGI handler costs
each request a thread; everything else is Django's.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypedDict

from django.conf import settings
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Scope

from gateway import astray, health, metrics
from gateway.door.bodies import BodyLimit
from gateway.recorder import RequestRecorder
from gateway.routes import V1_ROUTES
from gateway.service import Service, open_service

EXPOSED_HEADERS = (
    "accept-ranges",
    "content-disposition",
    "content-range",
    "etag",
    "idempotency-replayed",
    "openai-processing-ms",
    "retry-after",
    "server-timing",
    "x-audio-id",
    "x-audio-seconds",
    "x-cost-usd",
    "x-request-id",
    "x-service-tier",
    "x-should-retry",
    "x-speech-warnings",
    "x-voice-reference",
    *(f"x-ratelimit-{what}-{unit}" for what in ("limit", "remaining", "reset") for unit in ("requests", "tokens")),
)
"""What a web page may read of an answer."""
CORS_REMEMBERED_SECONDS = 600


class State(TypedDict):
    service: Service


def build(fallback: ASGIApp) -> ASGIApp:
    """The application; `fallback` answers what is not the API's."""
    allowed: defaultdict[str, set[str]] = defaultdict(set)
    for route in V1_ROUTES:
        allowed[route.path] |= route.operations.keys()
    v1 = [route.mounted(fallback, allowed[route.path]) for route in V1_ROUTES]
    sockets = [WebSocketRoute(route.path, route.socket) for route in V1_ROUTES if route.socket is not None]
    routes = (
        Mount("/v1", Router([*v1, *sockets], redirect_slashes=False)),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", metrics.show),
        Mount("/", astray.Guide(fallback)),
    )
    router = Router(routes, redirect_slashes=False, lifespan=_lifespan)
    recorder = RequestRecorder(BodyLimit(router), _namer(v1))
    return CORSMiddleware(
        recorder,
        allow_origins=settings.ENVIRONMENT.cors_allowed_origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
        max_age=CORS_REMEMBERED_SECONDS,
    )


@asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[State]:
    async with open_service() as service:
        # What is loaded now stays for good. The collector need not walk through it again and again, which a large
        # body makes it do, and which held up everybody for 75 ms each time.
        gc.collect()
        gc.freeze()
        yield {"service": service}


def _namer(v1: Sequence[Route]) -> Callable[[Scope], str]:
    def route_of(scope: Scope) -> str:
        endpoint = scope.get("endpoint")
        return next((f"/v1{route.path_format}" for route in v1 if route.endpoint is endpoint), "unknown")

    return route_of
