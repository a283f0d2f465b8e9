"""GET /v1/models, /v1/models/{id}, /v1/voices; /v1/audio/models and /v1/audio/voices, as Open WebUI asks."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import catalog
from gateway.service import Service
from inference.speech import voices
from inference.speech.voices import Voice


async def list_models(request: Request) -> Response:
    """Every model on offer."""
    await _authenticate(request)
    data: list[dict[str, Any]] = [model.as_json() for model in catalog.MODELS.values()]
    return JSONResponse({"object": "list", "data": data})


async def get_model(request: Request) -> Response:
    """One model."""
    await _authenticate(request)
    if not (name := request.path_params["model"]):
        raise HTTPException(404)
    return JSONResponse(catalog.find(name).as_json())


async def list_voices(request: Request) -> Response:
    """Every voice on offer: the platform's, and those that the engine in service has voice samples of.

    `gender` and `description` are null for a voice that is known by its sample alone.
    """
    await _authenticate(request)
    service: Service = request.state.service
    data = [_voice_as_json(voices.find(name)) for name in await service.workers.voices()]
    return JSONResponse({"object": "list", "data": data})


def _voice_as_json(voice: Voice) -> dict[str, Any]:
    return {"id": voice.name, "object": "voice", "gender": voice.gender, "description": voice.description}


async def list_audio_models(request: Request) -> Response:
    """Every name of a model, in the shape that Open WebUI and its kin read; open, since they ask without a key."""
    return JSONResponse({"models": [{"id": name, "name": name} for name in catalog.names()]})


async def list_audio_voices(request: Request) -> Response:
    """Every voice, likewise."""
    service: Service = request.state.service
    return JSONResponse({"voices": [{"id": name, "name": name} for name in await service.workers.voices()]})


async def _authenticate(request: Request) -> None:
    service: Service = request.state.service
    await service.keys.authenticate(request)
