"""GET and DELETE /v1/audio/{id}: the stored audio of an answer, for its owner, until it expires."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from psycopg.rows import class_row
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accounts.identifiers import parse_prefixed
from gateway import ranges
from gateway.catalog import known_format
from gateway.errors import ApiError, expired, not_found
from gateway.request_log import Row
from gateway.service import Service
from inference import assets
from inference.speech.formats import CONTENT_TYPES
from inference.units import SAMPLE_RATE

CONVERSIONS_AT_ONCE = 2
"""Each takes a thread and the whole audio in memory."""
_converting = asyncio.Semaphore(CONVERSIONS_AT_ONCE)


@dataclass(frozen=True, slots=True)
class _Asset:
    job_id: UUID
    path: str
    format: str
    samples: int
    receipt: dict[str, str]
    expires_at: datetime
    purged_at: datetime | None


class AudioResource(HTTPEndpoint):
    """/v1/audio/{audio_id}"""

    async def get(self, request: Request) -> Response:
        """The audio's bytes, whole or the range that was asked for (RFC 9110, one range), as they were stored or
        in another `format`; HEAD, too.
        """
        asset = await _owned_asset(request)
        wanted = _wanted_format(request, asset)
        etag = f'"{asset.job_id.hex}-{wanted}"'
        headers = {
            "accept-ranges": "bytes",
            "cache-control": "private, no-cache",
            "content-disposition": f'inline; filename="audio_{asset.job_id.hex}.{wanted}"',
            "etag": etag,
            "x-audio-seconds": f"{asset.samples / SAMPLE_RATE:.2f}",
            "x-cost-usd": asset.receipt["cost_usd"],
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        data = await _bytes(asset, wanted)
        media_type = CONTENT_TYPES[wanted]
        unchanged = request.headers.get("if-range", etag) == etag
        part = ranges.parse(request.headers.get("range", ""), len(data)) if unchanged else None
        if part is None:
            return Response(data, headers=headers, media_type=media_type)
        if not part:
            raise ApiError(
                416,
                f"Requested range not satisfiable: the audio has {len(data)} bytes.",
                code="range_not_satisfiable",
                param="range",
                headers={"content-range": f"bytes */{len(data)}"},
            )
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
        return Response(data[part.start : part.stop], 206, headers, media_type)

    async def delete(self, request: Request) -> Response:
        """Purge the audio at once; the record of what was billed stays."""
        asset = await _owned_asset(request)
        await asyncio.to_thread(assets.purge, asset.job_id)
        return JSONResponse({"id": f"audio_{asset.job_id.hex}", "object": "audio", "deleted": True})


async def _owned_asset(request: Request) -> _Asset:
    """The caller's asset. Raises ApiError: 404 for what is unknown or another's, 410 for what has expired."""
    service: Service = request.state.service
    row: Row = request.state.row
    principal = await service.keys.authenticate(request)
    row.organization_id, row.api_key_id = principal.organization_id, principal.key_id
    audio_id = request.path_params["audio_id"]
    job_id = parse_prefixed("audio_", audio_id)
    asset = None
    if job_id is not None:
        async with (
            service.database.connection() as connection,
            connection.cursor(row_factory=class_row(_Asset)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT job_id, path, format, asset.samples, asset.receipt, expires_at, purged_at
                FROM inference_audioasset asset JOIN inference_synthesisjob job ON job.id = job_id
                WHERE job_id = %s AND asset.organization_id = %s
                """,
                (job_id, principal.organization_id),
            )
            asset = await cursor.fetchone()
    if asset is None:
        raise not_found(f"No audio with id {audio_id[:100]!r}.", code="audio_not_found", param="audio_id")
    row.job_id = asset.job_id
    if asset.purged_at is not None or asset.expires_at <= timezone.now():
        raise expired()
    return asset


def _wanted_format(request: Request, asset: _Asset) -> str:
    name = request.query_params.get("format")
    return asset.format if name is None else known_format(name, "format")


async def _bytes(asset: _Asset, wanted: str) -> bytes:
    """The audio, converted if need be. Raises ApiError: 410 where it was purged since the row was read."""
    try:
        data = await asyncio.to_thread(assets.load, asset.path)
    except FileNotFoundError:
        raise expired() from None
    if wanted == asset.format:
        return data
    # Imported by the first who converts: FFmpeg and numpy take a gateway 40 MB.
    from inference.speech.conversion import convert

    async with _converting:
        return await asyncio.to_thread(convert, data, source=asset.format, target=wanted, samples=asset.samples)
