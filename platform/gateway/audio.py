"""GET and DELETE /v1/audio/{id}: the stored audio of an answer, for its owner, until it expires."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

from django.core.files.base import File
from django.utils import timezone
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from accounts.identifiers import parse_prefixed
from accounts.keys import Principal
from gateway import deletion, ranges
from gateway.authentication import caller
from gateway.batches import fetched
from gateway.catalog import known_format
from gateway.conversions import Conversions, Wanted
from gateway.errors import ApiError, expired, invalid
from gateway.parsing import parse
from gateway.schemas import Format, FormatOptions
from gateway.service import Service
from gateway.speech import background, stopping
from gateway.speech.conversation import unknown_audio
from inference import assets, stored
from inference.audio import SAMPLE_RATE
from inference.speech.formats import AudioFormat
from inference.stored import StoredAudio
from usage.request_log import Row

PIECE_BYTES = 1 << 18
"""Of a file, held in memory for each reader."""
_conversions = Conversions()


MOST_COPIES = 16
"""Converted copies that are kept of one audio: their options have more combinations than a disk has room."""


class AudioQuery(FormatOptions):
    """The query string of GET /v1/audio/{audio_id}."""

    format: Format | None = None
    """Convert the audio to this format. By default, the format that it was generated in."""


class AudioResource(HTTPEndpoint):
    """/v1/audio/{audio_id}"""

    async def get(self, request: Request) -> ASGIApp:
        """The audio's bytes, whole or the range that was asked for (RFC 9110, one range), as they were stored or
        in another `format`; HEAD, too. It counts among the requests of its key until the last byte has left.
        """
        service: Service = request.state.service
        principal = await caller(request)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async with service.limiter.slot(principal) as slot, AsyncExitStack() as stack:
                response = await _answer(request, principal, stack)
                response.headers.update(slot.headers)
                await response(scope, receive, send)

        return answer

    async def delete(self, request: Request) -> Response:
        """Purge the audio at once, wherever it is; the record of what was billed stays."""
        service: Service = request.state.service
        principal = await caller(request)
        job_id = await _in_background(request, principal)
        if job_id is None or not await stopping.cancel(service, job_id):
            job_id = (await owned_asset(request, principal)).job_id
            await deletion.purge(service, job_id)
        return JSONResponse({"id": f"audio_{job_id.hex}", "object": "audio", "deleted": True})


async def _answer(request: Request, principal: Principal, stack: AsyncExitStack) -> Response:
    """The answer to a GET; the file that it reads from is closed with `stack`."""
    service: Service = request.state.service
    if (job_id := await _in_background(request, principal)) is not None:
        request.state.row.job_id = job_id
        if (waiting := await background.status(service, job_id)) is not None:
            return waiting
    asset = await owned_asset(request, principal)
    wanted = _wanted_format(request, asset)
    suffix, content_type = wanted.suffix, wanted.content_type
    etag = f'"{asset.job_id.hex}-{wanted}"'
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "content-disposition": f'inline; filename="audio_{asset.job_id.hex}.{suffix}"',
        "etag": etag,
        "x-audio-seconds": f"{asset.samples / SAMPLE_RATE:.2f}",
        "x-cost-usd": asset.receipt["cost_usd"],
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    path = await _path(request, principal, asset, str(wanted))
    try:
        file = await asyncio.to_thread(assets.store().open, path)
    except FileNotFoundError:
        raise expired() from None
    stack.push_async_callback(asyncio.to_thread, file.close)
    size = await asyncio.to_thread(lambda: file.size)
    unchanged = request.headers.get("if-range", etag) == etag
    part = ranges.parse(request.headers.get("range", ""), size) if unchanged else None
    if part is not None and not part:
        raise ApiError(
            416,
            f"Requested range not satisfiable: the audio has {size} bytes.",
            code="range_not_satisfiable",
            param="range",
            headers={"content-range": f"bytes */{size}"},
        )
    if part is not None:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    sent = range(size) if part is None else part
    headers["content-length"] = str(len(sent))
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(None, status, headers, content_type)
    content = _pieces(file, sent)
    if status == 200:
        content = fetched.noted(content, [asset.job_id])
    return StreamingResponse(content, status, headers, content_type)


async def _pieces(file: File[bytes], part: range) -> AsyncIterator[bytes]:
    """The bytes of a file at these places, a piece at a time."""
    await asyncio.to_thread(file.seek, part.start)
    left = len(part)
    while left and (piece := await asyncio.to_thread(file.read, min(left, PIECE_BYTES))):
        left -= len(piece)
        yield piece


async def _path(request: Request, principal: Principal, asset: StoredAudio, wanted: str) -> str:
    """Where the audio is in the wanted format, converted now if it never was."""
    if wanted == asset.format:
        return asset.path
    if wanted in asset.conversions:
        return asset.conversions[wanted]
    if len(asset.conversions) >= MOST_COPIES:
        raise invalid(
            f"This audio has been converted to {MOST_COPIES} formats, which is the most that are kept. Ask for "
            "one of them, or convert the audio yourself.",
            param="format",
            code="too_many_conversions",
        )
    conversion = Wanted(
        job_id=asset.job_id,
        organization_id=principal.organization_id,
        path=asset.path,
        source_format=asset.format,
        target_format=wanted,
        samples=asset.samples,
    )
    return await _conversions.make(conversion, request.receive)


async def _in_background(request: Request, principal: Principal) -> UUID | None:
    """The job of the caller's audio that was asked for in the background."""
    service: Service = request.state.service
    job_id = parse_prefixed("audio_", request.path_params["audio_id"])
    if job_id is None:
        return None
    async with service.database.connection() as connection:
        cursor = await connection.execute(
            "SELECT FROM gateway_backgroundrequest WHERE job_id = %s AND organization_id = %s",
            (job_id, principal.organization_id),
        )
        return job_id if await cursor.fetchone() is not None else None


async def owned_asset(request: Request, principal: Principal) -> StoredAudio:
    """The caller's asset. Raises ApiError: 404 for what is unknown or another's, 410 for what has expired."""
    service: Service = request.state.service
    row: Row = request.state.row
    audio_id = request.path_params["audio_id"]
    job_id = parse_prefixed("audio_", audio_id)
    asset = None
    if job_id is not None:
        asset = await stored.find(service.database, job_id, organization_id=principal.organization_id)
    if asset is None:
        raise unknown_audio(audio_id, "audio_id")
    row.job_id = asset.job_id
    if asset.purged_at is not None or asset.expires_at <= timezone.now():
        raise expired()
    return asset


def _wanted_format(request: Request, asset: StoredAudio) -> AudioFormat:
    """Options without a format are those of the format that the audio has."""
    asked = parse(AudioQuery, dict(request.query_params))
    stored = AudioFormat.parse(asset.format)
    if not asked.model_fields_set:
        return stored
    return known_format(asked.format or stored.name, "format", asked)
