"""The gateway's application: the speech routes run here, in front of Django, because Django's ASGI handler costs
each request a thread; everything else is Django's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Scope

from gateway import audio, chat, health, models_api
from gateway.recorder import Recorder
from gateway.service import Service, open_service

V1_ROUTES = (
    Route("/chat/completions", chat.create_chat_completion, methods=["POST"]),
    Route("/models", models_api.list_models),
    Route("/models/{model:path}", models_api.get_model),
    Route("/audio/{audio_id}", audio.AudioResource),
)
_PATHS = [(route.endpoint, f"/v1{route.path}") for route in V1_ROUTES]


class State(TypedDict):
    service: Service


def build(fallback: ASGIApp) -> ASGIApp:
    """The application; `fallback` answers what is not the API's."""
    routes = (
        Mount("/v1", Router(V1_ROUTES, redirect_slashes=False)),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Mount("/", fallback),
    )
    return Recorder(Router(routes, redirect_slashes=False, lifespan=_lifespan), _route_of)


@asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[State]:
    async with open_service() as service:
        yield {"service": service}


def _route_of(scope: Scope) -> str:
    return next((path for endpoint, path in _PATHS if endpoint is scope.get("endpoint")), "unknown")
