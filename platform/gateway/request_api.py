"""GET /v1/requests/{id}: one call as the request log has it, by its `x-request-id`."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accounts.identifiers import parse_prefixed
from billing import pricing
from gateway.errors import ApiError, not_found
from gateway.service import Service
from inference import stored
from inference.audio import SAMPLE_RATE
from inference.stored import StoredAudio
from usage import logged_calls
from usage.logged_calls import LoggedCall

LOOKS = 10
LOOK_SECONDS = 0.1
"""Between two looks for a row that may be on its way: rows are written in batches behind the answers."""
ON_ITS_WAY_SECONDS = 900.0
"""How long ago a call may have begun whose row is waited for."""


async def get_request(request: Request) -> Response:
    """One call of the caller's organization. Raises ApiError: 404 for what is unknown or another's."""
    service: Service = request.state.service
    principal = await service.keys.authenticate(request)
    name = request.path_params["request_id"]
    organization_id = principal.organization_id
    id = parse_prefixed("req_", name)
    if id is not None:
        for look in range(LOOKS if _may_be_on_its_way(id) else 1):
            if look:
                await asyncio.sleep(LOOK_SECONDS)
            if call := await logged_calls.find(service.database, id, organization_id=organization_id):
                return JSONResponse(_as_json(call, await _audio_of(service, call, organization_id)))
    raise unknown(name)


async def _audio_of(service: Service, call: LoggedCall, organization_id: UUID) -> StoredAudio | None:
    if call.job_id is None:
        return None
    return await stored.find(service.database, call.job_id, organization_id=organization_id)


def unknown(name: str) -> ApiError:
    return not_found(
        f"No request with id {name[:100]!r}. A request is in the log once its answer has ended.",
        code="request_not_found",
        param="request_id",
    )


def _as_json(call: LoggedCall, audio: StoredAudio | None) -> dict[str, Any]:
    failed = {"code": call.error_code, "message": call.error_message, "param": call.error_param or None}
    return {
        "id": f"req_{call.id.hex}",
        "object": "request",
        "created_at": _iso(call.created_at),
        "method": call.method,
        "route": call.route,
        "status": call.status,
        "error": failed if call.error_code else None,
        "model": call.model or None,
        "voice": call.voice or None,
        "format": call.format or None,
        "characters": call.characters,
        "service_tier": call.service_tier or None,
        "audio_id": f"audio_{call.job_id.hex}" if call.job_id else None,
        "audio_seconds": None if call.samples is None else call.samples / SAMPLE_RATE,
        "audio_expires_at": audio and _iso(audio.expires_at),
        "audio_deleted_at": audio and audio.purged_at and _iso(audio.purged_at),
        "cost_usd": None if call.cost is None else pricing.show(call.cost),
        "timings": {
            "queue_ms": call.queue_ms,
            "first_audio_ms": call.first_audio_ms,
            "synthesis_ms": call.synthesis_ms,
            "total_ms": call.total_ms,
        },
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _may_be_on_its_way(id: UUID) -> bool:
    """Whether the id, a UUIDv7, is of these minutes."""
    return abs(time.time() - (id.int >> 80) / 1000) < ON_ITS_WAY_SECONDS
