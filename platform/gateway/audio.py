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
from gateway.errors import ApiError, not_found
from gateway.request_log import Row
from gateway.service import Service
from inference import assets


@dataclass(frozen=True, slots=True)
class _Asset:
    job_id: UUID
    path: str
    content_type: str
    size: int
    expires_at: datetime
    purged_at: datetime | None


class AudioResource(HTTPEndpoint):
    """/v1/audio/{audio_id}"""

    async def get(self, request: Request) -> Response:
        """The audio's bytes, whole or the range that was asked for (RFC 9110, one range)."""
        asset = await _owned_asset(request)
        try:
            data = await asyncio.to_thread(assets.load, asset.path)
        except FileNotFoundError:  # purged since the row was read
            raise _expired() from None
        headers = {"accept-ranges": "bytes", "cache-control": "private, no-store"}
        wanted = ranges.parse(request.headers.get("range", ""), len(data))
        if wanted is None:
            return Response(data, headers=headers, media_type=asset.content_type)
        if not wanted:
            raise ApiError(
                416,
                f"Requested range not satisfiable: the audio has {len(data)} bytes.",
                code="range_not_satisfiable",
                param="range",
                headers={"content-range": f"bytes */{len(data)}"},
            )
        headers["content-range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{len(data)}"
        return Response(data[wanted.start : wanted.stop], 206, headers, asset.content_type)

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
                SELECT job_id, path, content_type, size, expires_at, purged_at FROM inference_audioasset
                WHERE job_id = %s AND organization_id = %s
                """,
                (job_id, principal.organization_id),
            )
            asset = await cursor.fetchone()
    if asset is None:
        raise not_found(f"No audio with id {audio_id[:100]!r}.", code="audio_not_found", param="audio_id")
    row.job_id = asset.job_id
    if asset.purged_at is not None or asset.expires_at <= timezone.now():
        raise _expired()
    return asset


def _expired() -> ApiError:
    return ApiError(410, "This audio has expired or was deleted.", code="audio_expired", param="audio_id")
