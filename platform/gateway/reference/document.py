"""GET /v1/openapi.json: the API as OpenAPI 3.1, by drf-spectacular."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import catalog
from gateway.service import Service
from inference.speech.voices import VOICES


@cache
def document() -> dict[str, Any]:
    """The document, with the standard voices; the same for everybody."""
    from drf_spectacular.generators import SchemaGenerator

    from gateway.reference.routes import described

    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator(patterns=described).get_schema(public=True)
    for body in ("ChatRequest", "SpeechBody"):
        made["components"]["schemas"][body]["properties"]["model"]["enum"] = catalog.names()
    return made


async def show(request: Request) -> Response:
    service: Service = request.state.service
    made = await asyncio.to_thread(document)
    return JSONResponse(_with_voices(made, await service.workers.voices()))


def _with_voices(node: Any, voices: Sequence[str]) -> Any:
    """A copy that names these wherever the standard ones are named."""
    if isinstance(node, dict):
        return {name: _with_voices(value, voices) for name, value in node.items()}
    if isinstance(node, list):
        return [*voices] if node == [*VOICES] else [_with_voices(value, voices) for value in node]
    return node
