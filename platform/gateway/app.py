"""The gateway's application: the speech routes run here, in front of Django, because Django's ASGI handler costs
each request a thread; everything else is Django's.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypedDict

from django.conf import settings
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import audio, health, metrics, models_api
from gateway.door.bodies import BodyLimit
from gateway.recorder import RequestRecorder
from gateway.reference import document
from gateway.service import Service, open_service
from gateway.speech import chat, speech

V1_ROUTES = (
    Route("/chat/completions", chat.create_chat_completion, methods=["POST"]),
    Route("/chat/completions/{completion_id}", chat.delete_chat_completion, methods=["DELETE"]),
    Route("/audio/speech", speech.create_speech, methods=["POST"]),
    Route("/models", models_api.list_models),
    Route("/models/{model:path}", models_api.get_model),
    Route("/voices", models_api.list_voices),
    Route("/audio/{audio_id}", audio.AudioResource),
    Route("/openapi.json", document.show),
)
EXPOSED_HEADERS = (
    "idempotency-replayed",
    "openai-processing-ms",
    "retry-after",
    "server-timing",
    "x-audio-id",
    "x-request-id",
    *(f"x-ratelimit-{what}-{unit}" for what in ("limit", "remaining", "reset") for unit in ("requests", "tokens")),
)
"""What a web page may read of an answer."""
CORS_REMEMBERED_SECONDS = 600
MANAGED_PATHS = ("/usage", "/key")
"""What Django answers under /v1 (see `gateway.urls`)."""


class State(TypedDict):
    service: Service


class Managed:
    """Hands a /v1 request on to Django once its caller is known: `state` carries the principal there."""

    def __init__(self, django: ASGIApp) -> None:
        self._django = django

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        state["principal"] = await state["service"].keys.authenticate(HTTPConnection(scope))
        await self._django({**scope, "root_path": ""}, receive, send)


def build(fallback: ASGIApp) -> ASGIApp:
    """The application; `fallback` answers what is not the API's."""
    v1 = (*V1_ROUTES, *(Route(path, Managed(fallback)) for path in MANAGED_PATHS))
    routes = (
        Mount("/v1", Router(v1, redirect_slashes=False)),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", metrics.show),
        Mount("/", fallback),
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
        return next((f"/v1{route.path}" for route in v1 if route.endpoint is endpoint), "unknown")

    return route_of
