"""/v1/files, in OpenAI's shape (https://platform.openai.com/docs/api-reference/files)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from django.core.files.base import File as Content
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from gateway import database_threads
from gateway.batches import batches, files, uploads
from gateway.batches.schemas import FileForm, FilePage, named
from gateway.errors import invalid
from gateway.models import File
from gateway.parsing import parse
from gateway.service import Service

PIECE_BYTES = 1 << 18
MAX_NAME_CHARACTERS = 255


class FilesResource(HTTPEndpoint):
    """/v1/files"""

    async def post(self, request: Request) -> Response:
        service: Service = request.state.service
        principal = await service.keys.authenticate(request)
        async with (
            service.limiter.slot(principal),
            uploads.turn(principal.organization_id),
            uploads.receive(request, file_field="file") as upload,
        ):
            form = parse(FileForm, named(upload.fields, upload.filename))
            if not upload.size:
                raise invalid("Invalid value for 'file': it is empty.", param="file")
            name = "".join(each for each in form.file if each.isprintable())[:MAX_NAME_CHARACTERS]
            file = await database_threads.run(
                files.keep,
                principal.organization_id,
                purpose=File.Purpose.BATCH,
                filename=name or "upload.jsonl",
                spooled=upload.path,
                expires_in=timedelta(seconds=form.expires_after_seconds),
            )
        return JSONResponse(batches.file_as_json(file))

    async def get(self, request: Request) -> Response:
        service: Service = request.state.service
        principal = await service.keys.authenticate(request)
        page = parse(FilePage, dict(request.query_params))
        found = await database_threads.run(_list, principal.organization_id, page)
        return JSONResponse(page.listed(found, batches.file_as_json))


class FileResource(HTTPEndpoint):
    """/v1/files/{file_id}"""

    async def get(self, request: Request) -> Response:
        return JSONResponse(batches.file_as_json(await _file(request)))

    async def delete(self, request: Request) -> Response:
        file = await _file(request)
        await database_threads.run(files.delete, file)
        return JSONResponse({"id": f"file-{file.id.hex}", "object": "file", "deleted": True})


async def file_content(request: Request) -> ASGIApp:
    """GET /v1/files/{file_id}/content"""
    service: Service = request.state.service
    principal = await service.keys.authenticate(request)

    async def content() -> Response:
        file = await _find(request, principal)
        try:
            stored = await asyncio.to_thread(files.store().open, file.path)
        except FileNotFoundError:
            raise batches.unknown_file(request.path_params["file_id"]) from None
        headers = {
            "content-length": str(file.bytes),
            "content-disposition": f'attachment; filename="file-{file.id.hex}.jsonl"',
            "cache-control": "private, no-store",
        }
        return StreamingResponse(_pieces(stored), 200, headers, "application/octet-stream")

    return counted(service, principal, content)


def counted(service: Service, principal: Principal, make: Callable[[], Awaitable[Response]]) -> ASGIApp:
    """A download, which counts among the requests of its key until its last byte has left."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async with service.limiter.slot(principal) as slot:
            response = await make()
            response.headers.update(slot.headers)
            await response(scope, receive, send)

    return answer


async def _pieces(content: Content[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(content.read, PIECE_BYTES):
            yield piece
    finally:
        await asyncio.to_thread(content.close)


async def _file(request: Request) -> File:
    """The caller's file. Raises ApiError: 404 for what is unknown or another's."""
    service: Service = request.state.service
    return await _find(request, await service.keys.authenticate(request))


async def _find(request: Request, principal: Principal) -> File:
    name = request.path_params["file_id"]
    file = await database_threads.run(files.find, principal.organization_id, parse_prefixed("file-", name))
    if file is None:
        raise batches.unknown_file(name)
    return file


def _list(organization_id: UUID, page: FilePage) -> list[File]:
    """A page, and one file more where there are more. Raises ApiError: 404, `after` is no file that is there."""
    found = files.kept(organization_id)
    if page.purpose:
        found = found.filter(purpose=page.purpose)
    if page.after is not None:
        after = files.find(organization_id, parse_prefixed("file-", page.after))
        if after is None:
            raise batches.unknown_file(page.after, param="after")
        found = found.filter(id__lt=after.id) if page.order == "desc" else found.filter(id__gt=after.id)
    return list(found.order_by("-id" if page.order == "desc" else "id")[: page.limit + 1])
