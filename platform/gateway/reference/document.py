"""GET /v1/openapi.json: the API as OpenAPI 3.1, by drf-spectacular."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway import catalog


@cache
def document() -> dict[str, Any]:
    """The document; the same for everybody."""
    from drf_spectacular.generators import SchemaGenerator

    from gateway.reference.routes import described

    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator(patterns=described).get_schema(public=True)
    for body in ("ChatRequest", "SpeechBody"):
        made["components"]["schemas"][body]["properties"]["model"]["enum"] = catalog.names()
    return made


async def show(request: Request) -> Response:
    made = await asyncio.to_thread(document)
    return Response(json.dumps(made), media_type="application/json")
