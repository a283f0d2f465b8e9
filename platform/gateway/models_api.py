"""GET /v1/models, /v1/models/{id}, /v1/voices; /v1/audio/models and /v1/audio/voices, as Open WebUI asks."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import catalog, database_threads, voices_api
from gateway.authentication import caller
from gateway.pages import Page
from gateway.parsing import parse
from gateway.service import Service
from inference.speech import voices
from inference.speech.voices import Voice


async def list_models(request: Request) -> Response:
    """Every model on offer."""
    await caller(request)
    data: list[dict[str, Any]] = [model.as_json() for model in catalog.MODELS.values()]
    return JSONResponse({"object": "list", "data": data})


async def get_model(request: Request) -> Response:
    """One model."""
    await caller(request)
    if not (name := request.path_params["model"]):
        raise HTTPException(404)
    return JSONResponse(catalog.find(name).as_json())


async def list_voices(request: Request) -> Response:
    """Every voice that the caller can speak in: the platform's, those that the engine in service has voice samples
    of, and the organization's own where the engine can clone.

    `gender` and `description` are null for a voice that is known by its sample alone.
    """
    service: Service = request.state.service
    principal = await service.keys.authenticate(request)
    data = [_voice_as_json(voices.find(name)) for name in await service.workers.voices()]
    if await service.workers.can_clone():
        own = await database_threads.run(voices_api.list_voices, principal.organization_id, Page(limit=100))
        data += [_voice_as_json(Voice(voice["id"], description=voice["name"])) for voice in own["data"]]
    return JSONResponse({"object": "list", "data": data})


def _voice_as_json(voice: Voice) -> dict[str, Any]:
    return {"id": voice.name, "object": "voice", "gender": voice.gender, "description": voice.description}


async def list_audio_models(request: Request) -> Response:
    """Every name of a model, in the shape that Open WebUI and its kin read; open, since they ask without a key."""
    return JSONResponse({"models": [{"id": name, "name": name} for name in catalog.names()]})


async def list_audio_voices(request: Request) -> Response:
    """Every voice, likewise; with a key also the organization's own, which OpenAI's clients read in `data`."""
    service: Service = request.state.service
    offered = [{"id": name, "name": name} for name in await service.workers.voices()]
    if "authorization" not in request.headers:
        return JSONResponse({"voices": offered})
    principal = await service.keys.authenticate(request)
    asked = parse(Page, dict(request.query_params))
    own = await database_threads.run(voices_api.list_voices, principal.organization_id, asked)
    named = [{"id": voice["id"], "name": voice["name"]} for voice in own["data"]]
    return JSONResponse({"voices": [*offered, *named], **own})
