"""/v1/batches, in OpenAI's shape (https://platform.openai.com/docs/api-reference/batch), and a batch's audio."""

from __future__ import annotations

from uuid import UUID

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from gateway import database_threads
from gateway.authentication import caller
from gateway.batches import archive, batches
from gateway.batches.files_api import counted
from gateway.batches.schemas import ArchiveQuery, BatchRequest
from gateway.errors import ApiError
from gateway.models import SpeechBatch
from gateway.pages import Page
from gateway.parsing import SMALL_BODY_BYTES, parse, read_request
from gateway.service import Service


class BatchesResource(HTTPEndpoint):
    """/v1/batches"""

    async def post(self, request: Request) -> Response:
        service: Service = request.state.service
        principal = await service.keys.authenticate(request)
        async with service.limiter.slot(principal):
            body = await read_request(request, BatchRequest, limit=SMALL_BODY_BYTES)
            batch = await database_threads.run(batches.create, principal, body)
        return JSONResponse(batches.as_json(batch))

    async def get(self, request: Request) -> Response:
        principal = await caller(request)
        page = parse(Page, dict(request.query_params))
        found = await database_threads.run(_list, principal.organization_id, page)
        return JSONResponse(page.listed(found, batches.as_json))


async def get_batch(request: Request) -> Response:
    """GET /v1/batches/{batch_id}"""
    principal = await caller(request)
    batch = await database_threads.run(batches.find, principal.organization_id, request.path_params["batch_id"])
    return JSONResponse(batches.as_json(batch))


async def cancel_batch(request: Request) -> Response:
    """POST /v1/batches/{batch_id}/cancel"""
    principal = await caller(request)
    batch = await database_threads.run(batches.cancel, principal.organization_id, request.path_params["batch_id"])
    return JSONResponse(batches.as_json(batch))


async def get_batch_audio(request: Request) -> ASGIApp:
    """GET /v1/batches/{batch_id}/audio: all audio that there is so far, as one tar or zip file."""
    service: Service = request.state.service
    principal = await service.keys.authenticate(request)
    format = parse(ArchiveQuery, dict(request.query_params)).format

    async def audio() -> Response:
        name = request.path_params["batch_id"]
        batch = await database_threads.run(batches.find, principal.organization_id, name)
        entries = await database_threads.run(archive.entries, batch)
        if not entries:
            raise no_audio()
        headers = {
            "content-disposition": f'attachment; filename="batch_{batch.id.hex}.{format}"',
            "cache-control": "private, no-store",
        }
        if format == "tar":
            headers["content-length"] = str(archive.tar_size(entries))
        return StreamingResponse(archive.stream(entries, format), 200, headers, archive.MEDIA_TYPES[format])

    return counted(service, principal, audio)


def no_audio() -> ApiError:
    return ApiError(
        404,
        "This batch has no audio: none has been generated yet, or it has expired or was deleted.",
        code="batch_has_no_audio",
        param="batch_id",
    )


def _list(organization_id: UUID, page: Page) -> list[SpeechBatch]:
    """Raises ApiError: 404, `after` is no batch."""
    found = SpeechBatch.objects.filter(organization=organization_id)
    return page.newest(found, lambda name: batches.find(organization_id, name))
